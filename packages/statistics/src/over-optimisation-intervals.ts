// Curves of over-optimisation from measurements of several prompts, with intervals over prompts:
// the points of a curve share their prompts, and those of best-of-n even their answers, so that
// they are not independent of each other.

import { bootstrapIntervals, type Interval } from './intervals.ts';
import {
  fitOverOptimisation,
  type OptimisationCurve,
  type OverOptimisation,
  overOptimisationPeak,
} from './over-optimisation.ts';

/** A prompt's part in each point of a curve. */
export interface CurveSample {
  /** [points] in nats */
  kl: readonly number[];
  /** [points] gold reward relative to that of the initial policy */
  reward: readonly number[];
}

/** A fitted curve of gold rewards, with its peak and intervals. */
export interface MeasuredCurve extends Pick<OverOptimisation, 'alpha' | 'beta' | 'residual'> {
  /**
   * 95% of alpha and beta (percentile bootstrap over prompts); null if a resample has too few
   * points above a KL of 0
   */
  intervals: { alpha: Interval; beta: Interval } | null;
  /** Where the fitted curve is highest; null if it has no peak */
  peak: { d: number; kl: number; reward: number } | null;
  /** Share of resamples whose curve is highest within the measured KL; null without intervals */
  peaksWithin: number | null;
}

/** How a curve of gold rewards is fitted. */
export interface MeasuredCurveOptions {
  resamples?: number;
  seed?: number;
}

/**
 * Fits a curve to the means over prompts. Points whose mean KL is not above 0 are not used: an
 * estimate of a small KL may be negative.
 * @param samples one for each prompt, all with the same points
 * @throws RangeError without prompts, for prompts with different numbers of points, and if fewer
 *   than two points have a KL above 0
 */
export function measureOverOptimisation(
  curve: OptimisationCurve,
  samples: readonly CurveSample[],
  { resamples = 2000, seed = 0 }: MeasuredCurveOptions = {},
): MeasuredCurve {
  const [first] = samples;
  if (first === undefined) throw new RangeError('a curve needs at least one prompt');
  const size = first.kl.length;
  const other = samples.find(({ kl, reward }) => kl.length !== size || reward.length !== size);
  if (other !== undefined) {
    throw new RangeError(
      `prompts must have the same points, found ${size}, ${other.kl.length} and ${other.reward.length}`,
    );
  }
  const all = Uint32Array.from(samples.keys());
  const points = meansOf(samples, all, size);
  const { alpha, beta, residual } = fitOverOptimisation(curve, points);
  const reach = Math.max(...points.map(({ kl }) => kl));
  let [failed, within] = [false, 0];
  const found = bootstrapIntervals(
    samples.length,
    2,
    (draws) => {
      const drawn = meansOf(samples, draws, size);
      if (new Set(drawn.map(({ kl }) => kl)).size < 2) {
        failed = true;
        return [alpha, beta];
      }
      const fit = fitOverOptimisation(curve, drawn);
      const peak = overOptimisationPeak(curve, fit);
      if (peak !== null && peak.kl <= reach) within += 1;
      return [fit.alpha, fit.beta];
    },
    { resamples, seed },
  );
  return {
    ...{ alpha, beta, residual },
    intervals: failed ? null : { alpha: found[0]!, beta: found[1]! },
    peak: overOptimisationPeak(curve, { alpha, beta }),
    peaksWithin: failed ? null : within / resamples,
  };
}

/** Means over the drawn prompts of the points above a KL of 0. */
function meansOf(samples: readonly CurveSample[], draws: Uint32Array, size: number) {
  const points = Array.from({ length: size }, () => ({ kl: 0, reward: 0 }));
  for (const draw of draws) {
    const { kl, reward } = samples[draw]!;
    for (const [at, point] of points.entries()) {
      point.kl += kl[at]! / draws.length;
      point.reward += reward[at]! / draws.length;
    }
  }
  return points.filter(({ kl }) => kl > 0);
}
