// Who says what a verdict on a pair would tell: reward models, judges, or policies.
import type { ComparisonValue } from '@keel/statistics';
import type { AnswerGroup } from '../feedback/read-label-pairs.ts';
import type { AskedBy, Candidate } from './choose-comparisons.ts';

/** What is told while pairs are scored. */
export interface ScoringHooks {
  /** @param total prompts, or pairs, by {@link PairScorer.unit} */
  onProgress?(progress: { done: number; total: number }): void;
  /** Stops the scoring. */
  signal?: AbortSignal;
}

/** What was found out about pairs. */
export interface ScoredPairs {
  /** In the order of the pairs; null for one that could not be scored. */
  values: (ComparisonValue | null)[];
  /** Why answers or pairs could not be scored, with how often. */
  faults: Readonly<Record<string, number>>;
}

/** Who scores pairs. */
export interface PairScorer extends AsyncDisposable {
  /** Members of the ensemble. */
  readonly members: number;
  /** What scoring goes through. */
  readonly unit: 'prompts' | 'pairs';
  /** How priorities name it: "reward model's". */
  readonly owner: string;
  /** @returns null if it was stopped */
  score(
    groups: readonly AnswerGroup[],
    pairs: readonly Candidate[],
    hooks: ScoringHooks,
  ): Promise<ScoredPairs | null>;
}

/** Who set a priority. */
export const sourceOf = (owner: string, by: AskedBy): string => `${owner} ${by}`;
