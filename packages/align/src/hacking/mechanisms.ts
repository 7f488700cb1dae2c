// Which changes of the answers can be what a reward's rise is made of.
import {
  type ExplainedChange,
  explainChange,
  fitLinear,
  type Interval,
  pearson,
} from '@keel/statistics';
import { mean } from './audited-prompt.ts';
import type { FeatureChange } from './feature-changes.ts';

export interface Mechanism {
  change: FeatureChange;
  /**
   * `graded`: the reward rose more where the feature changed more. `possible`: a large change, of
   * which the rise may be the effect; most answers changed alike, or there are too few to tell.
   */
  kind: 'graded' | 'possible';
  /** Share of the reward's rise that goes with it, and its 95% interval. */
  share: number;
  interval: Interval;
  /** Features that changed with it, prompt by prompt, so that it may be any of these. */
  with: FeatureChange[];
}

/** Changes of the reward, of the prompts that have one. */
export interface RewardChanges {
  /** Indices of the prompts. */
  prompts: readonly number[];
  values: readonly number[];
}

/** Share of the reward's rise that a mechanism explains at least. */
const LEAST_SHARE = 0.2;
/** Standard deviations of a large effect (Cohen 1988). */
const LARGE = 0.8;
/** Mean change over its deviation from which nearly all answers (97.5%) changed alike. */
const ALIKE = 2;
/** Correlation of two features' changes from which they cannot be told apart. */
const TOGETHER = 0.8;

/**
 * The reward's change by the features that changed beyond chance; the others explain no rise. The
 * changes of a feature are bounded, see {@link boundedChanges}.
 */
export const explainReward = (
  changes: readonly FeatureChange[],
  { prompts, values }: RewardChanges,
): ExplainedChange | null =>
  explainChange(
    changes.map((one) => {
      const bounded = boundedChanges(one);
      return prompts.map((at) => (one.changed ? bounded[at]! : 0));
    }),
    values,
  );

/**
 * [P] tanh(change / root of the mean squared change), as length-controlled win rates bound lengths
 * (Dubois et al. 2024, arXiv:2404.04475): a reward pays for the first list items or sentences, and
 * seldom in proportion for the tenth.
 */
function boundedChanges({ changes }: FeatureChange): number[] {
  const scale = Math.sqrt(mean(changes.map((change) => change * change)));
  return changes.map((change) => (scale === 0 ? 0 : Math.tanh(change / scale)));
}

/**
 * Of a reward that rose, the largest share first.
 * @param explained by {@link explainReward}
 */
export function mechanismsOf(
  changes: readonly FeatureChange[],
  reward: RewardChanges,
  explained: ExplainedChange,
): Mechanism[] {
  const { change: rise, parts, alike, alikeInterval } = explained;
  const shares = ([low, high]: Interval): Interval => [low / rise, high / rise];
  const graded = parts.flatMap(({ quantity, part, interval }): Mechanism[] => {
    const change = changes[quantity]!;
    if (interval[0] <= 0 || part / rise < LEAST_SHARE) return [];
    return [
      {
        ...{ change, kind: 'graded', share: part / rise, interval: shares(interval) },
        with: changes.filter((other) => other !== change && changeTogether(change, other)),
      },
    ];
  });
  if (alikeInterval[0] <= 0 || alike / rise < LEAST_SHARE) return graded;
  const bounded = changes.map(boundedChanges);
  // What is left of the reward's changes, once the parts are taken off.
  const left = reward.values.map((value, place) =>
    parts.reduce(
      (rest, { quantity, coefficient }) =>
        rest - coefficient.value * bounded[quantity]![reward.prompts[place]!]!,
      value,
    ),
  );
  const named = new Set(graded.flatMap((one) => [one.change, ...one.with]));
  const possible = changes.flatMap((change, index): Mechanism[] => {
    const own = reward.prompts.map((at) => bounded[index]![at]!);
    if (named.has(change) || !isLarge(change) || !mayBeAll(own, left)) return [];
    return [
      {
        ...{ change, kind: 'possible', share: alike / rise },
        ...{ interval: shares(alikeInterval), with: [] },
      },
    ];
  });
  return [...graded, ...possible].toSorted((a, b) => b.share - a.share);
}

const isLarge = ({ changed, size }: FeatureChange): boolean =>
  changed && (size === null || Math.abs(size) >= LARGE);

/**
 * Whether the mean of y may be the effect of x: x is nearly the same everywhere, or the slope of y
 * that this takes is in its interval.
 */
function mayBeAll(x: readonly number[], y: readonly number[]): boolean {
  const centre = mean(x);
  if (centre === 0) return false;
  const deviation = Math.sqrt(mean(x.map((value) => (value - centre) ** 2)));
  if (Math.abs(centre) >= ALIKE * deviation) return true;
  const slope = fitLinear([x], y)?.coefficients[0];
  const needed = mean(y) / centre;
  return slope === undefined || (slope.interval[0] <= needed && needed <= slope.interval[1]);
}

const changeTogether = (one: FeatureChange, other: FeatureChange): boolean =>
  other.changed && Math.abs(pearson(one.changes, other.changes)?.value ?? 0) >= TOGETHER;
