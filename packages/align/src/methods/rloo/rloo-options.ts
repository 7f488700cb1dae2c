import { z } from 'zod';
import { defineTraining } from '../../config/training-options.ts';
import { checkOnline } from '../online/check-online.ts';
import { klShape } from '../online/kl-options.ts';
import { generations, onlineShape } from '../online/online-options.ts';
import { rewardShape } from '../online/reward-shape-options.ts';
import { correctionShape } from '../online/rollout-server-options.ts';
import { entropyShape, updateShape, whitenAdvantages } from '../online/update-options.ts';
import { refreshShape } from '../refresh/refresh-options.ts';
import { pretrainingShape } from '../supervised/pretraining-options.ts';

const rlooObject = z
  .strictObject({
    ...onlineShape,
    ...refreshShape,
    ...rewardShape,
    // Ahmadian et al. 2024 use 2 and 4.
    numGenerations: generations(4, { compared: true }),
    ...klShape({ beta: 0.05, place: 'reward', estimator: 'k1' }),
    ...updateShape({ iterations: 1 }),
    ...whitenAdvantages(false),
    ...entropyShape,
    ...correctionShape,
    ...pretrainingShape,
  })
  .check((context) => checkOnline(context));

/** Options of `keel rloo`. */
export const rlooDefinition = defineTraining('rloo', rlooObject);

/** Options of an RLOO run, with every default filled in. */
export type RlooOptions = ReturnType<typeof rlooDefinition.complete>;
