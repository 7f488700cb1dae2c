// A language-modelling loss mixed into the updates of an online verb (PPO-ptx).
import { z } from 'zod';
import { option } from '../../config/options.ts';

const group = 'Pretraining mix';

export const pretrainingShape = {
  pretrainingData: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
    description:
      'rows to mix a language-modelling loss on into the updates (PPO-ptx): text, chats or completions, as for keel sft',
    group,
    reads: 'rows',
    shownDefault: 'no mix',
  }),
  pretrainingCoefficient: option(z.number().positive().default(27.8), {
    description: "weight of that loss, a mean over scored tokens (Ouyang et al.'s gamma)",
    group,
    value: 'gamma',
  }),
  pretrainingBatchSize: option(z.number().int().min(1).default(8), {
    description: 'pretraining rows per optimizer step',
    group,
    value: 'rows',
  }),
};

/** Options of the mix, with every default filled in. */
export type PretrainingOptions = {
  [Name in keyof typeof pretrainingShape]: z.output<(typeof pretrainingShape)[Name]>;
};
