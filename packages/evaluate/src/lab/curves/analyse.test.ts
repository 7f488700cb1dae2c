import { overOptimisationCurve, resamplingRandom } from '@keel/statistics';
import { describe, expect, it } from 'vitest';
import { analyseCurve, analyseLab, stoppingOf } from './analyse.ts';
import type { Curve } from './curve.ts';

const kl = [0, 0.5, 1, 2, 4, 8, 16];
const truth = { alpha: 1.5, beta: 0.5 };

/** A curve of Gao et al.'s form; with noise that differs between prompts and points. */
function madeCurve(
  method: Curve['method'],
  { prompts = 40, noise = 0, seed = 1, scale = 1, ensemble = false } = {},
): Curve {
  const random = resamplingRandom(seed);
  const draw = (): number => noise * (random() + random() + random() - 1.5);
  const of = (value: number): number[] => Array.from({ length: prompts }, () => value + draw());
  return {
    ...{ name: ensemble ? 'p8-mean' : 'p8', group: 'p8', ensemble, method, counts: 'step' },
    points: kl.map((nats, at) => ({
      at,
      kl: Array.from({ length: prompts }, () => nats),
      proxy: of(Math.sqrt(nats)),
      gold: of(scale * overOptimisationCurve(method, truth, nats)),
    })),
  };
}

describe('a curve', () => {
  it.each(['best-of-n', 'rl'] as const)('of %s: alpha, beta, peak and gain by hand', (method) => {
    const { fit, residuals, stopping, points } = analyseCurve(madeCurve(method));
    expect(fit!.alpha).toBeCloseTo(truth.alpha, 9);
    expect(fit!.beta).toBeCloseTo(truth.beta, 9);
    expect(residuals!.straight).toBeGreaterThan(0.1);
    expect(residuals!.other).toBeGreaterThan(0.01);
    const values = kl.map((nats) => overOptimisationCurve(method, truth, nats));
    const best = values.indexOf(Math.max(...values));
    expect(stopping.at).toBe(best);
    expect(stopping.kl).toBe(kl[best]);
    expect(stopping.gain.value).toBeCloseTo(values[best]! - values.at(-1)!, 9);
    expect(points[2]!.d).toBe(1);
    expect(points[2]!.gold.value).toBeCloseTo(truth.alpha - (method === 'rl' ? 0 : truth.beta), 9);
  });

  it('gains nothing by stopping where gold is only noise', () => {
    let sum = 0;
    for (let seed = 0; seed < 40; seed++) {
      const flat = madeCurve('rl', { noise: 1, seed, scale: 0 });
      sum += stoppingOf(flat.points).gold.value / 40;
    }
    // The best of seven means would be 0.1 on average.
    expect(Math.abs(sum)).toBeLessThan(0.04);
  });

  it('has no fit without a KL', () => {
    const { points, ...own } = madeCurve('rl');
    const still = points.map((one) => ({ ...one, kl: one.kl.map(() => 0) }));
    const { fit, residuals } = analyseCurve({ ...own, points: still });
    expect([fit, residuals]).toEqual([null, null]);
  });
});

it('an ensemble is compared with its members on the same prompts', () => {
  const [single, ensemble] = [
    madeCurve('best-of-n'),
    madeCurve('best-of-n', { scale: 0.5, ensemble: true }),
  ];
  const { ensembles } = analyseLab({
    ...{ prompts: 40, exact: false, goldUnit: 1, curves: [single, ensemble] },
    agreements: [{ name: 'p8-s1', shares: [1, 0.5, 0] }],
  });
  const end = overOptimisationCurve('best-of-n', truth, 16);
  const peak = truth.alpha ** 2 / (4 * truth.beta);
  expect(ensembles).toHaveLength(1);
  expect(ensembles[0]!.against).toBe('p8');
  expect(ensembles[0]!.last.value).toBeCloseTo(-0.5 * end, 9);
  // The grid's best point is near the peak.
  expect(Math.abs(ensembles[0]!.stopped.value + 0.5 * peak)).toBeLessThan(0.05);
});
