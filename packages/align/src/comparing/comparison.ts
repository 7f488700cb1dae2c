import type { Recipe, RecipeStage } from '../recipes/recipe.ts';
import type { CompareOptions } from './compare-options.ts';
import type { NamedObjective } from './objective-name.ts';

/**
 * What is said of an entry before data is looked at: an objective with options of its own, for each
 * seed.
 */
export interface EntryPlan {
  /** Entries that differ in their seed alone have one; with the beta where it has one. */
  group: string;
  objective: NamedObjective;
  /** null: each objective's own, or it has none. */
  beta: number | null;
  /** Where it stands, for messages. */
  place: string;
  /** Options of its own by camelCase name, with where each stands. */
  own: ReadonlyMap<string, { value: unknown; place: string }>;
}

/** One run of a comparison. Its name is its group and its seed. */
export interface CompareEntry extends RecipeStage {
  group: string;
  objective: NamedObjective;
  beta: number | null;
  seed: number;
}

/** Runs of the same budget on the same pairs, to be measured by the same code. */
export interface Comparison extends Recipe {
  options: CompareOptions;
  stages: readonly CompareEntry[];
  templateDate: string;
  /** Optimiser steps of every entry. */
  steps: number;
}

export const entryName = (group: string, seed: number): string => `${group}-s${seed}`;
