import { z } from 'zod';
import { option } from '../../config/options.ts';
import { defineTraining } from '../../config/training-options.ts';
import {
  checkOnline,
  entropyShape,
  generations,
  klShape,
  onlineShape,
  updateShape,
} from '../online/online-options.ts';
import { pretrainingShape } from '../supervised/pretraining-options.ts';

const grpoObject = z
  .strictObject({
    ...onlineShape,
    numGenerations: generations(8, { compared: true }),
    loss: option(z.enum(['grpo', 'dr_grpo', 'dapo', 'dapo_group', 'bnpo']).default('grpo'), {
      description:
        "how tokens' losses become one: grpo, the mean of each answer; dr_grpo, sums over --max-new-tokens; dapo, the mean over all tokens; dapo_group, over those of each prompt; bnpo, over those of each pass",
      group: 'Objective',
      value: 'name',
    }),
    scaleRewards: option(z.enum(['group', 'batch', 'none']).default('group'), {
      description:
        "advantages are divided by the standard deviation of their prompt's rewards, of the batch's, or by nothing (Dr. GRPO)",
      group: 'Objective',
      value: 'how',
    }),
    ratioLevel: option(z.enum(['token', 'sequence', 'sequence_token']).default('token'), {
      description:
        'importance ratios of tokens, or of whole answers (GSPO; its clip ranges are about 3e-4)',
      group: 'Objective',
      value: 'level',
    }),
    // TRL's and later papers' beta is 0; DeepSeekMath has 0.04.
    ...klShape({ beta: 0, place: 'loss', estimator: 'k3' }),
    ...updateShape({ iterations: 1 }),
    ...entropyShape,
    ...pretrainingShape,
  })
  .check((context) => checkOnline(context));

/** Options of `keel grpo`. */
export const grpoDefinition = defineTraining('grpo', grpoObject);

/** Options of a GRPO run, every default filled in. */
export type GrpoOptions = ReturnType<typeof grpoDefinition.complete>;
