// What a lab's curves show: fits, peaks, what stopping at the peak of gold gains, and what
// ensembles change.
import {
  bootstrapMeanInterval,
  fitOverOptimisation,
  type Interval,
  type MeasuredCurve,
  measureOverOptimisation,
  type OptimisationCurve,
  pairedDifferenceInterval,
} from '@keel/statistics';
import { mean } from './best-of-n-curve.ts';
import type { Curve, CurvePoint, LabCurves } from './curve.ts';

export interface Estimate {
  value: number;
  /** 95% over prompts; null for an exact number */
  interval: Interval | null;
}

export interface AnalysedPoint {
  at: number;
  kl: number;
  /** Root of the KL; 0 where its estimate is below 0 */
  d: number;
  proxy: Estimate;
  gold: Estimate;
}

/**
 * Gold at a point of the curve that is chosen without the prompt on which it is measured; of exact
 * numbers, with it.
 */
export interface Stopping {
  /** The point with the most gold on all prompts. */
  at: number;
  kl: number;
  /** Gold there. */
  gold: Estimate;
  /** Gold there minus gold at the last point. */
  gain: Estimate;
}

export interface AnalysedCurve extends Omit<Curve, 'points'> {
  points: readonly AnalysedPoint[];
  /** Of Gao et al.'s form for this method; null if too few points are above a KL of 0. */
  fit: MeasuredCurve | null;
  /** Roots of the mean squared residuals of the other method's form, and of a d. */
  residuals: { other: number; straight: number } | null;
  stopping: Stopping;
}

/** An ensemble against the mean of its members, or the policy of one of them. */
export interface EnsembleEffect {
  name: string;
  against: string;
  method: Curve['method'];
  /** Difference of gold at the last points. */
  last: Estimate;
  /** Difference of gold where each is stopped at its peak. */
  stopped: Estimate;
}

export interface LabAnalysis extends Pick<LabCurves, 'prompts' | 'exact' | 'goldUnit'> {
  curves: readonly AnalysedCurve[];
  ensembles: readonly EnsembleEffect[];
  agreements: readonly { name: string; agreement: Estimate }[];
}

export function analyseLab({
  prompts,
  exact,
  goldUnit,
  curves,
  agreements,
}: LabCurves): LabAnalysis {
  return {
    ...{ prompts, exact, goldUnit },
    curves: curves.map((curve) => analyseCurve(curve, exact)),
    ensembles: curves.filter(({ ensemble }) => ensemble).flatMap((one) => effectOf(one, curves)),
    agreements: agreements
      .filter(({ shares }) => shares.length > 0)
      .map(({ name, shares }) => ({ name, agreement: estimate(shares, exact) })),
  };
}

/** @param exact whether its numbers are no estimates */
export function analyseCurve(curve: Curve, exact = false): AnalysedCurve {
  const { points, ...own } = curve;
  const analysed = points.map(({ at, kl, proxy, gold }) => {
    const nats = mean(kl);
    const d = Math.sqrt(Math.max(0, nats));
    return { at, kl: nats, d, proxy: estimate(proxy, exact), gold: estimate(gold, exact) };
  });
  const usable = points.filter((_, at) => analysed[at]!.kl > 0);
  const estimated = usable.length < 2 ? null : fitted(curve.method, usable);
  const fit = estimated && { ...estimated, ...(exact && { intervals: null, peaksWithin: null }) };
  return {
    ...{ ...own, points: analysed, fit },
    residuals: fit === null ? null : otherResiduals(curve.method, analysed),
    stopping: stoppingOf(points, exact),
  };
}

const fitted = (curve: OptimisationCurve, points: readonly CurvePoint[]): MeasuredCurve =>
  measureOverOptimisation(
    curve,
    points[0]!.kl.map((_, prompt) => ({
      kl: points.map(({ kl }) => kl[prompt]!),
      reward: points.map(({ gold }) => gold[prompt]!),
    })),
  );

function otherResiduals(method: OptimisationCurve, points: readonly AnalysedPoint[]) {
  const used = points
    .filter(({ kl }) => kl > 0)
    .map(({ kl, d, gold: { value: reward } }) => ({ kl, d, reward }));
  const slope =
    used.reduce((sum, { d, reward }) => sum + d * reward, 0) /
    used.reduce((sum, { d }) => sum + d * d, 0);
  const squares = used.reduce((sum, { d, reward }) => sum + (reward - slope * d) ** 2, 0);
  const other = fitOverOptimisation(method === 'rl' ? 'best-of-n' : 'rl', used);
  return { other: other.residual, straight: Math.sqrt(squares / used.length) };
}

/**
 * Each prompt's gold where gold is highest on the other prompts: the best of several noisy points
 * looks better than it is if it is measured on what it was chosen by.
 */
function stoppedGold(points: readonly CurvePoint[]): number[] {
  const sums = points.map(({ gold }) => gold.reduce((sum, one) => sum + one, 0));
  return points[0]!.gold.map((_, prompt) => {
    const others = points.map(({ gold }, at) => sums[at]! - gold[prompt]!);
    return points[others.indexOf(Math.max(...others))]!.gold[prompt]!;
  });
}

/** Where gold is highest, and what stopping there gains. */
export function stoppingOf(points: readonly CurvePoint[], exact = false): Stopping {
  const means = points.map(({ gold }) => mean(gold));
  const { at, kl, gold } = points[means.indexOf(Math.max(...means))]!;
  const stopped = exact ? gold : stoppedGold(points);
  return {
    ...{ at, kl: mean(kl), gold: estimate(stopped, exact) },
    gain: difference(points.at(-1)!.gold, stopped, exact),
  };
}

/** Best-of-n: against the mean of its members; RL: against the policies of single members. */
function effectOf(ensemble: Curve, curves: readonly Curve[]): EnsembleEffect[] {
  const single = curves.filter(
    (one) => !one.ensemble && one.group === ensemble.group && one.method === ensemble.method,
  );
  const { name, method } = ensemble;
  return single.flatMap((one) => {
    // Policies are compared on the same prompts only if no prompt lacks a score.
    if (one.points[0]!.gold.length !== ensemble.points[0]!.gold.length) return [];
    return {
      ...{ name, method, against: one.name },
      last: difference(one.points.at(-1)!.gold, ensemble.points.at(-1)!.gold),
      stopped: difference(stoppedGold(one.points), stoppedGold(ensemble.points)),
    };
  });
}

const estimate = (values: readonly number[], exact = false): Estimate => ({
  value: mean(values),
  interval: exact ? null : bootstrapMeanInterval(values, { resamples: 2000 }),
});

const difference = (
  before: readonly number[],
  after: readonly number[],
  exact = false,
): Estimate => ({
  value: mean(after) - mean(before),
  interval: exact ? null : pairedDifferenceInterval(before, after, { resamples: 2000 }),
});
