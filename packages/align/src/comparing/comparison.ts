import type { Recipe, TrainingStage } from '../recipes/recipe.ts';
import type { CompareOptions } from './compare-options.ts';
import type { NamedObjective } from './objective-name.ts';

/** An entry before the data is read: an objective with its own options, for each seed. */
export interface EntryPlan {
  /** Shared by entries that differ only in their seed; includes the beta if there is one. */
  group: string;
  objective: NamedObjective;
  /** null if each objective uses its own, or has none. */
  beta: number | null;
  /** Where it is written, for messages. */
  place: string;
  /** Its own options by camelCase name, each with its place in the file. */
  own: ReadonlyMap<string, { value: unknown; place: string }>;
}

/** One run of a comparison. Its name is its group and its seed. */
export interface CompareEntry extends TrainingStage {
  group: string;
  objective: NamedObjective;
  beta: number | null;
  seed: number;
}

/** Runs with the same budget on the same pairs, measured by the same code. */
export interface Comparison extends Recipe {
  options: CompareOptions;
  stages: readonly CompareEntry[];
  templateDate: string;
  /** Optimizer steps of every entry. */
  steps: number;
}

export const entryName = (group: string, seed: number): string => `${group}-s${seed}`;
