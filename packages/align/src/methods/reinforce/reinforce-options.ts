import { z } from 'zod';
import { option } from '../../config/options.ts';
import { defineTraining } from '../../config/training-options.ts';
import {
  checkOnline,
  entropyShape,
  generations,
  klShape,
  onlineShape,
  whitenAdvantages,
} from '../online/online-options.ts';

const reinforceObject = z
  .strictObject({
    ...onlineShape,
    numGenerations: generations(1),
    baseline: option(z.enum(['running', 'batch']).default('running'), {
      description:
        "what is subtracted from rewards: the moving mean of earlier batches', or the mean of their own batch's",
      group: 'Objective',
      value: 'which',
    }),
    baselineDecay: option(z.number().min(0).lt(1).default(0.9), {
      description: 'how much of the running baseline a batch leaves',
      group: 'Objective',
      value: 'share',
    }),
    ...klShape({ beta: 0.05, place: 'reward', estimator: 'k1' }),
    ...whitenAdvantages(false),
    ...entropyShape,
  })
  .check((context) => {
    checkOnline(context);
    const { batchSize, numGenerations } = context.value;
    if (batchSize * numGenerations > 1) return;
    context.issues.push({
      code: 'custom',
      path: ['batchSize'],
      message:
        'a baseline needs 2 answers a batch at least: give more prompts or --num-generations',
      input: context.value,
    });
  });

/** Options of `keel reinforce`. */
export const reinforceDefinition = defineTraining('reinforce', reinforceObject);

/** Options of a REINFORCE run, every default filled in. */
export type ReinforceOptions = ReturnType<typeof reinforceDefinition.complete>;
