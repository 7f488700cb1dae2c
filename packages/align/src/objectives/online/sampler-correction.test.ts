import { describe, expect, it } from 'vitest';
import { RolloutLayout } from './rollout.ts';
import { type CorrectionMode, samplerCorrection } from './sampler-correction.ts';

const layout = RolloutLayout.of([2, 1, 3]);
const sampler = [-1, -0.5, -2, -1, -0.1, -3];
/** Log-ratios: answers 1.5, 0.1 and -0.2. */
const logs = [1.3, 0.2, 0.1, -0.5, 1.2, -0.9];
const trainer = sampler.map((one, at) => one + logs[at]!);

const of = (mode: CorrectionMode, max = 3) =>
  samplerCorrection(layout, { trainer, sampler }, { mode, max });

function close(found: Float64Array, expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  found.forEach((one, at) => void expect(one).toBeCloseTo(expected[at]!, 12));
}

describe('samplerCorrection', () => {
  const ratios = logs.map(Math.exp);
  const [one, two, three] = [1.5, 0.1, -0.2].map(Math.exp) as [number, number, number];

  it('truncates or masks the ratio of each token', () => {
    expect(ratios.filter((ratio) => ratio > 3)).toHaveLength(2);
    const truncated = of('token_truncate');
    close(
      truncated.weights,
      ratios.map((ratio) => Math.min(ratio, 3)),
    );
    expect(truncated.bounded).toBe(2);
    const masked = of('token_mask');
    close(
      masked.weights,
      ratios.map((ratio) => (ratio > 3 ? 0 : ratio)),
    );
    expect(masked.bounded).toBe(2);
    expect(masked.units).toEqual(masked.weights);
  });

  it('truncates or masks the product over each answer', () => {
    const truncated = of('sequence_truncate');
    close(truncated.weights, [3, 3, two, three, three, three]);
    close(truncated.units, [3, two, three]);
    expect(truncated.bounded).toBe(1);
    const masked = of('sequence_mask');
    close(masked.weights, [0, 0, two, three, three, three]);
    expect(masked.bounded).toBe(1);
    close(of('sequence_mask', 5).weights, [one, one, two, three, three, three]);
    expect(of('sequence_mask', 5).bounded).toBe(0);
  });

  it('is 1 where sampler and trainer agree', () => {
    for (const mode of ['token_truncate', 'token_mask', 'sequence_mask'] as const) {
      const same = samplerCorrection(layout, { trainer, sampler: trainer }, { mode, max: 1 });
      expect([...same.weights]).toEqual([1, 1, 1, 1, 1, 1]);
      expect(same.bounded).toBe(0);
    }
  });

  it('bounds ratios that are too large for a number', () => {
    const far = { trainer: [-1, -1, -1, -1, -1, -1], sampler: [-900, -1, -1, -1, -1, -1] };
    const truncated = samplerCorrection(layout, far, { mode: 'sequence_truncate', max: 3 });
    expect([...truncated.weights]).toEqual([3, 3, 1, 1, 1, 1]);
    const masked = samplerCorrection(layout, far, { mode: 'token_mask', max: 3 });
    expect([...masked.weights]).toEqual([0, 1, 1, 1, 1, 1]);
  });

  it('refuses lists of another length, and a bound of 0', () => {
    expect(() => of('token_mask', 0)).toThrow('above 0');
    const short = { trainer, sampler: sampler.slice(1) };
    expect(() => samplerCorrection(layout, short, { mode: 'token_mask', max: 3 })).toThrow(
      "5 sampler's log-probabilities for 6 scored tokens",
    );
  });
});
