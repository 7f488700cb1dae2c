import { tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { exceedsKlTarget, policyDrift, samplerMismatch } from './policy-drift.ts';

const clip = { low: 0.2, high: 0.2 };

describe('policyDrift', () => {
  it('estimates KL(old || policy) from tokens of the old policy', () => {
    tidy(() => {
      const wide = { dtype: 'float64' } as const;
      const before = tensor([0.3, -1.1, 0.8], wide).logSoftmax(0);
      const now = tensor([0.1, -0.7, 0.9], wide).logSoftmax(0);
      const chances = before.exp().toArray();
      const exact = before.exp().mul(before.sub(now)).sum().item();
      const single = (at: number) =>
        policyDrift(now.narrow(0, at, 1), before.narrow(0, at, 1), clip);
      const mean = (name: 'k1' | 'k3') =>
        chances.reduce((sum, chance, at) => sum + chance * single(at)[name], 0);
      expect(Math.abs(mean('k1') - exact)).toBeLessThan(1e-15);
      expect(Math.abs(mean('k3') - exact)).toBeLessThan(1e-15);
    });
  });

  it('is exactly 0 while the policy has not moved', () => {
    tidy(() => {
      const logprobs = tensor([-0.1, -5, -30]);
      expect(policyDrift(logprobs, logprobs, clip)).toEqual({ k1: 0, k2: 0, k3: 0, outside: 0 });
    });
  });

  it('counts tokens outside the range for any advantage', () => {
    tidy(() => {
      const now = tensor([0.1, 0.5, -0.5, 0]);
      expect(policyDrift(now, tensor([0, 0, 0, 0]), clip).outside).toBe(0.5);
    });
  });
});

describe('exceedsKlTarget', () => {
  it('stops above the target times its factor, and for NaN', () => {
    expect(exceedsKlTarget(0.014, 0.01)).toBe(false);
    expect(exceedsKlTarget(0.016, 0.01)).toBe(true);
    expect(exceedsKlTarget(0.011, 0.01, 1)).toBe(true);
    expect(exceedsKlTarget(Number.NaN, 0.01)).toBe(true);
    expect(exceedsKlTarget(1e9, null)).toBe(false);
    expect(() => exceedsKlTarget(1, 0)).toThrow(/above 0, got 0/);
  });
});

describe('samplerMismatch', () => {
  it('is the distance between two computations of the same log-probabilities', () => {
    expect(samplerMismatch([-1, -2], [-1.5, -2])).toEqual({ mean: 0.25, largest: 0.5 });
    expect(() => samplerMismatch([1], [1, 2])).toThrow(/1 sampler's log-probabilities for 2/);
  });
});
