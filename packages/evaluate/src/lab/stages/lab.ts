import type { Recipe } from '@keel/align/internal';
import type { EnsembleRule } from '@keel/align/rewards';
import type { LabOptions } from '../options/lab-options.ts';

/** A reward model that is trained on gold's labels. */
export interface ProxyModel {
  name: string;
  /** Of all proxies with the same pairs, which differ in the seed of their training. */
  group: string;
  pairs: number;
  /** Share of the labels that are flipped. */
  noise: number;
  seed: number;
}

/** Proxies of all seeds, combined. */
export interface Ensemble {
  name: string;
  group: string;
  rule: EnsembleRule;
  weight: number;
  members: readonly ProxyModel[];
}

/** A policy that is trained against a proxy or an ensemble. */
export interface PolicyRun {
  /** Of its stage. */
  name: string;
  proxy: string;
}

/** Everything that a lab does: the stages of a recipe, and what they are to each other. */
export interface Lab {
  /** The file that it was read from. */
  path: string;
  output: string;
  options: LabOptions;
  /** Its output is a folder in the lab's. */
  recipe: Recipe;
  /** The gold reward, for people. */
  gold: string;
  proxies: readonly ProxyModel[];
  ensembles: readonly Ensemble[];
  /** The largest n of best-of-n. */
  answers: number;
  method: string | null;
  policies: readonly PolicyRun[];
}

/** Names of stages, and of the files that later parts read. */
export const stageNames = {
  gold: 'gold',
  labels: 'labels',
  pairs: 'pairs',
  samples: 'samples',
  proxy: (name: string): string => `proxy-${name}`,
  scores: (name: string): string => `scores-${name}`,
  ensemble: (name: string): string => `ensemble-${name}`,
  policy: (name: string): string => `policy-${name}`,
} as const;

export const files = {
  answers: 'answers.jsonl',
  scores: 'scores.jsonl',
  ensemble: 'reward.yaml',
  pairs: (group: string): string => `${group}.jsonl`,
} as const;
