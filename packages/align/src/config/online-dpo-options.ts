import { z } from 'zod';
import { checkOnline, epochsShape, generations, onlineShape } from './online-options.ts';
import { option } from './options.ts';
import { referenceSyncShape } from './reference-sync-options.ts';
import { defineTraining } from './training-options.ts';

const objective = 'Objective';

/** An objective on pairs of sampled answers. */
export const sampledPairsShape = {
  numGenerations: generations(2, { compared: true }),
  loss: option(z.enum(['sigmoid', 'ipo', 'hinge']).default('sigmoid'), {
    description: 'objective on the pair of the best and the worst answer to each prompt',
    group: objective,
    value: 'name',
  }),
  beta: option(z.number().positive().default(0.1), {
    description: 'strength of the tie to the reference; larger stays nearer',
    group: objective,
  }),
  minScoreGap: option(z.number().min(0).nullable().default(null), {
    description:
      'pairs whose rewards are less apart are left out, as DNO does; none: only those of equal rewards',
    group: objective,
    value: 'gap',
  }),
  ...referenceSyncShape(objective),
  ...epochsShape({ iterations: 1 }),
};

const onlineDpoObject = z.strictObject({ ...onlineShape, ...sampledPairsShape }).check(checkOnline);

/** Options of `keel online-dpo`. */
export const onlineDpoDefinition = defineTraining('online-dpo', onlineDpoObject);

/** Options of an online DPO run, every default filled in. */
export type OnlineDpoOptions = ReturnType<typeof onlineDpoDefinition.complete>;
