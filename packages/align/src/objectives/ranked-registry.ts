import { plackettLuceObjective } from './plackett-luce-dpo.ts';
import type { RankedObjective } from './ranked.ts';

/** The objectives of `rankedObjectiveNames`. */
export const rankedObjectives: readonly RankedObjective[] = [plackettLuceObjective];

/** null if no objective on rankings has that name. */
export const rankedObjective = (name: string): RankedObjective | null =>
  rankedObjectives.find((one) => one.name === name) ?? null;
