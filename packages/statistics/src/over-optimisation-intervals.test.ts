import { describe, expect, it } from 'vitest';
import { overOptimisationCurve } from './over-optimisation.ts';
import { type CurveSample, measureOverOptimisation } from './over-optimisation-intervals.ts';
import { resamplingRandom } from './resampling-random.ts';

const truth = { alpha: 1.1, beta: 0.35 };
const kl = [0, 0.2, 0.5, 1, 2, 3, 4, 6, 8];

/** Prompts whose rewards have noise that is shared by all points, and noise of each point. */
function noisy(curve: 'best-of-n' | 'rl', count: number, seed: number): CurveSample[] {
  const random = resamplingRandom(seed);
  const noise = (): number => random() + random() + random() + random() - 2;
  return Array.from({ length: count }, () => {
    const factor = 1 + noise();
    return {
      kl: kl.map((one) => one * (1 + 0.2 * noise())),
      reward: kl.map(
        (one) => factor * overOptimisationCurve(curve, truth, one) + (one > 0 ? 0.3 * noise() : 0),
      ),
    };
  });
}

describe.each(['best-of-n', 'rl'] as const)('%s', (curve) => {
  it('gives alpha and beta back where all prompts follow the curve', () => {
    const sample = { kl, reward: kl.map((one) => overOptimisationCurve(curve, truth, one)) };
    const found = measureOverOptimisation(curve, [sample, sample, sample], { resamples: 50 });
    expect(found.alpha).toBeCloseTo(truth.alpha, 10);
    expect(found.beta).toBeCloseTo(truth.beta, 10);
    expect(found.intervals!.beta[1] - found.intervals!.beta[0]).toBeLessThan(1e-9);
    const inside = found.peak!.kl <= 8;
    expect(found.peaksWithin).toBe(inside ? 1 : 0);
  });

  it('has intervals that contain the truth about as often as they say', () => {
    const runs = 60;
    let [alpha, beta] = [0, 0];
    for (let seed = 0; seed < runs; seed++) {
      const { intervals } = measureOverOptimisation(curve, noisy(curve, 60, seed), {
        resamples: 200,
        seed,
      });
      const has = ([low, high]: readonly [number, number], value: number): number =>
        low <= value && value <= high ? 1 : 0;
      alpha += has(intervals!.alpha, truth.alpha);
      beta += has(intervals!.beta, truth.beta);
    }
    for (const covered of [alpha / runs, beta / runs]) expect(covered).toBeGreaterThan(0.85);
  });
});

it('has no intervals if a resample has too few points', () => {
  const moved = { kl: [0, 1, 2], reward: [0, 1, 1.5] };
  const still = { kl: [0, 0, 0], reward: [0, 0, 0] };
  const found = measureOverOptimisation('rl', [moved, still], { resamples: 100 });
  expect(found.intervals).toBeNull();
  expect(found.peaksWithin).toBeNull();
});

it('refuses prompts without points in common, and no prompts', () => {
  expect(() => measureOverOptimisation('rl', [])).toThrow(/at least one prompt/);
  const [one, other] = [
    { kl: [0, 1, 2], reward: [0, 1, 2] },
    { kl: [0, 1], reward: [0, 1] },
  ];
  expect(() => measureOverOptimisation('rl', [one, other])).toThrow(/found 3, 2 and 2/);
  expect(() => measureOverOptimisation('rl', [other])).toThrow(/at least two points/);
});
