// Options that watch a run: answers to sample prompts, and the choice of the best evaluation.
import { z } from 'zod';
import { option } from './options.ts';

const following = 'Evaluation and checkpoints';

/** Options of the verbs that train a language model. */
export const sampleShape = {
  samplePrompts: option(
    z
      .union([z.number().int().min(1), z.string().min(1)])
      .nullable()
      .default(4),
    {
      description:
        'prompts to answer greedily before training, at evaluations and after: a number of held-out (otherwise training) rows, or a file of prompts; none: no answers',
      group: following,
      value: 'n|file',
    },
  ),
  sampleTokens: option(z.number().int().min(1).default(48), {
    description: 'maximum tokens of an answer to a sample prompt',
    group: following,
    value: 'tokens',
  }),
};

/** Options of the choice of the best evaluation. */
export const bestShape = {
  bestMetric: option(z.string().min(1).nullable().default(null), {
    description:
      'metric of the evaluations, such as eval_loss, whose best value decides which weights become the result; needs --eval-data and --eval-steps',
    group: following,
    value: 'metric',
    shownDefault: 'the weights after the last step',
  }),
  bestMetricGoal: option(z.enum(['higher', 'lower']).nullable().default(null), {
    description: 'which values of --best-metric are better',
    group: following,
    shownDefault: 'known for the usual metrics',
  }),
  earlyStoppingPatience: option(z.number().int().min(1).nullable().default(null), {
    description: 'stop after this many evaluations in a row without a better --best-metric',
    group: following,
    value: 'evaluations',
    shownDefault: 'no early stopping',
  }),
  earlyStoppingThreshold: option(z.number().min(0).nullable().default(null), {
    description: 'smallest change of --best-metric that counts as better for early stopping',
    group: following,
    value: 'number',
    shownDefault: '0',
  }),
};

const sampleObject = z.object(sampleShape);
const bestObject = z.object(bestShape);
export type SampleOptions = z.output<typeof sampleObject>;
export type BestOptions = z.output<typeof bestObject>;

/**
 * Adds an issue for each of these options that lacks another.
 * @param value of a verb that has all of these options, or none
 */
export function checkBest(
  value: Partial<BestOptions> & {
    evalData: unknown;
    evalSteps: number | null;
    evalSuites?: unknown;
  },
  add: (name: string, message: string) => void,
): void {
  const { bestMetric = null, evalSteps } = value;
  const evalData = value.evalData ?? value.evalSuites;
  if (bestMetric === null) {
    for (const name of ['bestMetricGoal', 'earlyStoppingPatience'] as const) {
      if (value[name] != null) add(name, 'needs --best-metric, for example eval_loss');
    }
  } else if (evalData == null || evalSteps === null) {
    const [missing, example] =
      evalData == null
        ? ['--eval-data', '--eval-data held-out.jsonl']
        : ['--eval-steps', '--eval-steps 50'];
    add('bestMetric', `${missing} is missing: only evaluations can be compared. Add ${example}`);
  }
  if (value.earlyStoppingThreshold != null && value.earlyStoppingPatience == null) {
    add('earlyStoppingThreshold', 'needs --early-stopping-patience, for example 3');
  }
}
