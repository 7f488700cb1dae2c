import { apoZeroUnpaired } from './apo-unpaired.ts';
import { bco, bcoBalanced } from './bco.ts';
import { kto } from './kto.ts';
import type { UnpairedObjective } from './unpaired.ts';

/** The objectives available for `keel kto --loss`. */
const unpairedObjectives = {
  kto,
  bco,
  bco_balanced: bcoBalanced,
  apo_zero_unpaired: apoZeroUnpaired,
} satisfies Record<string, UnpairedObjective>;

export type UnpairedObjectiveName = keyof typeof unpairedObjectives;

export const unpairedObjectiveNames = Object.keys(unpairedObjectives) as [
  UnpairedObjectiveName,
  ...UnpairedObjectiveName[],
];

export const unpairedObjective = (name: UnpairedObjectiveName): UnpairedObjective =>
  unpairedObjectives[name];
