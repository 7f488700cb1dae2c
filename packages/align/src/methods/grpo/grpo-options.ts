import { z } from 'zod';
import { option } from '../../config/options.ts';
import { defineTraining } from '../../config/training-options.ts';
import { checkOnline } from '../online/check-online.ts';
import { klShape } from '../online/kl-options.ts';
import { generations, onlineShape } from '../online/online-options.ts';
import { rewardShape } from '../online/reward-shape-options.ts';
import { correctionShape } from '../online/rollout-server-options.ts';
import { entropyShape, updateShape } from '../online/update-options.ts';
import { refreshShape } from '../refresh/refresh-options.ts';
import { pretrainingShape } from '../supervised/pretraining-options.ts';

const grpoObject = z
  .strictObject({
    ...onlineShape,
    ...refreshShape,
    ...rewardShape,
    numGenerations: generations(8, { compared: true }),
    loss: option(z.enum(['grpo', 'dr_grpo', 'dapo', 'dapo_group', 'bnpo']).default('grpo'), {
      description:
        'how token losses are averaged: grpo, per answer; dr_grpo, sum divided by --max-new-tokens; dapo, over all tokens; dapo_group, over the tokens of each prompt; bnpo, over the tokens of each pass',
      group: 'Objective',
      value: 'name',
      common: true,
    }),
    scaleRewards: option(z.enum(['group', 'batch', 'none']).default('group'), {
      description:
        "divide advantages by the standard deviation of the rewards of the prompt (group) or of the batch; none: don't divide (Dr. GRPO)",
      group: 'Objective',
    }),
    ratioLevel: option(z.enum(['token', 'sequence', 'sequence_token']).default('token'), {
      description:
        'importance ratios per token, or per answer (GSPO, which needs clip ranges of about 3e-4)',
      group: 'Objective',
    }),
    // TRL and later papers use a beta of 0; DeepSeekMath uses 0.04.
    ...klShape({ beta: 0, place: 'loss', estimator: 'k3' }),
    ...updateShape({ iterations: 1 }),
    ...entropyShape,
    ...correctionShape,
    ...pretrainingShape,
  })
  .check((context) => checkOnline(context));

/** Options of `keel grpo`. */
export const grpoDefinition = defineTraining('grpo', grpoObject);

/** Options of a GRPO run, with every default filled in. */
export type GrpoOptions = ReturnType<typeof grpoDefinition.complete>;
