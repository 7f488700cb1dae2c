// The mix of a language model's own loss into what an online verb learns (PPO-ptx).
import { z } from 'zod';
import { option } from '../../config/options.ts';

const group = 'Pretraining mix';

export const pretrainingShape = {
  pretrainingData: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
    description:
      'rows of text, chats or completions, as keel sft takes them, whose likelihood is to stay (PPO-ptx); none: no mix',
    group,
    value: 'path',
    commas: false,
  }),
  pretrainingCoefficient: option(z.number().positive().default(27.8), {
    description:
      "weight of their loss, the mean over their scored tokens, beside the policy's; Ouyang et al.'s gamma",
    group,
    value: 'gamma',
  }),
  pretrainingBatchSize: option(z.number().int().min(1).default(8), {
    description: 'of these rows, how many each optimizer step has',
    group,
    value: 'rows',
  }),
};

/** Options of the mix, every default filled in. */
export type PretrainingOptions = {
  [Name in keyof typeof pretrainingShape]: z.output<(typeof pretrainingShape)[Name]>;
};
