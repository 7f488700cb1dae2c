import { z } from 'zod';
import { defineTraining } from '../../config/training-options.ts';
import { checkOnline } from '../online/check-online.ts';
import { klShape } from '../online/kl-options.ts';
import { generations, onlineShape } from '../online/online-options.ts';
import { rewardShape } from '../online/reward-shape-options.ts';
import { correctionShape } from '../online/rollout-server-options.ts';
import { entropyShape, whitenAdvantages } from '../online/update-options.ts';
import { refreshShape } from '../refresh/refresh-options.ts';

const remaxObject = z
  .strictObject({
    ...onlineShape,
    ...refreshShape,
    ...rewardShape,
    numGenerations: generations(1),
    ...klShape({ beta: 0.05, place: 'reward', estimator: 'k1' }),
    ...whitenAdvantages(false),
    ...entropyShape,
    ...correctionShape,
  })
  .check((context) => {
    checkOnline(context);
    if (context.value.rewardScale === 'none') return;
    context.issues.push({
      code: 'custom',
      path: ['rewardScale'],
      message:
        'the reward of the greedy answer must be on the same scale as the others. Normalise in the spec of --reward instead',
      input: context.value,
    });
  });

/** Options of `keel remax`. */
export const remaxDefinition = defineTraining('remax', remaxObject);

/** Options of a ReMax run, with every default filled in. */
export type RemaxOptions = ReturnType<typeof remaxDefinition.complete>;
