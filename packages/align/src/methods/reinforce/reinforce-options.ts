import { z } from 'zod';
import { option } from '../../config/options.ts';
import { defineTraining } from '../../config/training-options.ts';
import { checkOnline } from '../online/check-online.ts';
import { klShape } from '../online/kl-options.ts';
import { generations, onlineShape } from '../online/online-options.ts';
import { rewardShape } from '../online/reward-shape-options.ts';
import { correctionShape } from '../online/rollout-server-options.ts';
import { entropyShape, whitenAdvantages } from '../online/update-options.ts';
import { refreshShape } from '../refresh/refresh-options.ts';

const reinforceObject = z
  .strictObject({
    ...onlineShape,
    ...refreshShape,
    ...rewardShape,
    numGenerations: generations(1),
    baseline: option(z.enum(['running', 'batch']).default('running'), {
      description:
        'baseline subtracted from rewards: a running mean over earlier batches, or the mean of the same batch',
      group: 'Objective',
      common: true,
    }),
    baselineDecay: option(z.number().min(0).lt(1).default(0.9), {
      description: 'decay of the running baseline per batch',
      group: 'Objective',
      value: 'share',
    }),
    ...klShape({ beta: 0.05, place: 'reward', estimator: 'k1' }),
    ...whitenAdvantages(false),
    ...entropyShape,
    ...correctionShape,
  })
  .check((context) => {
    checkOnline(context);
    const { batchSize, numGenerations } = context.value;
    if (batchSize * numGenerations > 1) return;
    context.issues.push({
      code: 'custom',
      path: ['batchSize'],
      message:
        'expected at least 2 answers per batch, which a baseline needs, found 1. Pass a larger --batch-size or --num-generations',
      input: context.value,
    });
  });

/** Options of `keel reinforce`. */
export const reinforceDefinition = defineTraining('reinforce', reinforceObject);

/** Options of a REINFORCE run, with every default filled in. */
export type ReinforceOptions = ReturnType<typeof reinforceDefinition.complete>;
