// Options of refreshing the reward model on what the policy answers now.
import { z } from 'zod';
import { option } from '../../config/options.ts';

const group = 'Refreshing the reward model';

export const refreshShape = {
  refresh: option(z.number().int().min(1).nullable().default(null), {
    description:
      'number of rollout batches after which pairs of the latest answers are labelled, to train the reward model (--reward, an adapter on the same base) on them and on --refresh-data. A refresh that lowers its accuracy on held-out comparisons is undone',
    group,
    value: 'batches',
    shownDefault: 'never',
  }),
  refreshLabels: option(z.string().min(1).nullable().default(null), {
    description: 'who labels the pairs: another reward or a judge, in the forms of --reward',
    group,
    reads: 'reward',
    value: 'reward',
    shownDefault: 'required with --refresh',
  }),
  refreshData: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
    description: 'the comparisons that the reward model was trained on, as pairs',
    group,
    reads: 'rows',
    value: 'files',
    shownDefault: 'required with --refresh',
  }),
  refreshEvalData: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
    description: 'held-out comparisons, as pairs, on which no refresh may do worse',
    group,
    reads: 'rows',
    value: 'files',
    shownDefault: 'required with --refresh',
  }),
  refreshPairs: option(z.number().int().min(1).default(32), {
    description: 'maximum pairs that are labelled in a refresh, one for each prompt',
    group,
    value: 'pairs',
  }),
  refreshShare: option(z.number().gt(0).max(1).default(0.5), {
    description: 'share of new pairs in each optimizer step of a refresh',
    group,
    value: 'share',
  }),
  refreshSteps: option(z.number().int().min(1).default(8), {
    description: 'optimizer steps of a refresh',
    group,
    value: 'steps',
  }),
  refreshBatchSize: option(z.number().int().min(1).default(8), {
    description: 'pairs in each of these steps',
    group,
    value: 'pairs',
  }),
  refreshLearningRate: option(z.number().positive().default(5e-5), {
    description: 'learning rate of a refresh (no warm-up, no decay)',
    group,
    value: 'rate',
  }),
};

export interface RefreshOptions {
  refresh: number | null;
  refreshLabels: string | null;
  refreshData: string[] | null;
  refreshEvalData: string[] | null;
  refreshPairs: number;
  refreshShare: number;
  refreshSteps: number;
  refreshBatchSize: number;
  refreshLearningRate: number;
}

/** Calls `add` for each of these options that contradicts another. */
export function checkRefresh(
  value: Partial<RefreshOptions> & { lora: boolean; numGenerations: number },
  add: (name: string, message: string) => void,
): void {
  const parts = ['refreshLabels', 'refreshData', 'refreshEvalData'] as const;
  if (value.refresh == null) {
    for (const name of parts) {
      if (value[name] != null) add(name, 'has no effect without --refresh. Pass its interval too');
    }
    for (const [name, usual] of Object.entries(usualNumbers)) {
      if ((value[name as keyof typeof usualNumbers] ?? usual) !== usual) {
        add(name, 'has no effect without --refresh. Pass its interval too');
      }
    }
    return;
  }
  for (const name of parts) {
    if (value[name] == null) add(name, 'is required with --refresh');
  }
  if (value.numGenerations < 2) {
    add(
      'numGenerations',
      `--refresh compares answers to the same prompt. Pass 2 or more, found ${value.numGenerations}`,
    );
  }
  if (!value.lora) {
    add(
      'refresh',
      "the reward model is trained as an adapter of the policy's base. Remove --no-lora",
    );
  }
}

const usualNumbers = {
  refreshPairs: 32,
  refreshShare: 0.5,
  refreshSteps: 8,
  refreshBatchSize: 8,
  refreshLearningRate: 5e-5,
};
