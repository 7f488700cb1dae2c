import { describe, expect, it } from 'vitest';
import { bestOfNKl, expectedBestOfN, expectedOfBest } from './best-of-n.ts';

/** KL(best-of-n || uniform) over m completions with different rewards, exactly. */
const exactKl = (n: number, m: number): number => {
  let sum = 0;
  for (let rank = 1; rank <= m; rank++) {
    const chance = (rank / m) ** n - ((rank - 1) / m) ** n;
    if (chance > 0) sum += chance * Math.log(chance * m);
  }
  return sum;
};

describe('bestOfNKl', () => {
  it('is log n - (n - 1)/n, which is exact without ties', () => {
    expect(bestOfNKl(1)).toBe(0);
    expect(bestOfNKl(4)).toBe(Math.log(4) - 0.75);
    expect(Math.abs(bestOfNKl(4) - exactKl(4, 100_000))).toBeLessThan(1e-4);
  });

  it('is an upper bound with few completions (Beirami et al., theorem 3.1)', () => {
    for (const n of [2, 4, 16, 64]) {
      for (const m of [2, 5, 50]) expect(exactKl(n, m)).toBeLessThan(bestOfNKl(n));
    }
    expect(exactKl(64, 2)).toBeLessThanOrEqual(Math.LN2);
  });

  it('rejects an invalid n', () => {
    expect(() => bestOfNKl(0)).toThrow(/got 0/);
    expect(() => bestOfNKl(2.5)).toThrow(/got 2.5/);
  });
});

describe('expectedBestOfN', () => {
  const rewards = [3, -1, 4, 1, 5, 1];

  it('is the mean of the best over all subsets', () => {
    for (let n = 1; n <= rewards.length; n++) {
      let [sum, count] = [0, 0];
      for (let set = 0; set < 2 ** rewards.length; set++) {
        const own = rewards.filter((_, at) => set & (1 << at));
        if (own.length !== n) continue;
        sum += Math.max(...own);
        count++;
      }
      expect(Math.abs(expectedBestOfN(rewards, n) - sum / count)).toBeLessThan(1e-12);
    }
  });

  it('does not overflow for many samples', () => {
    const many = Array.from({ length: 5000 }, (_, at) => at);
    expect(Math.abs(expectedBestOfN(many, 2500) - ((5001 * 2500) / 2501 - 1))).toBeLessThan(1e-6);
  });

  it('rejects an n above the number of samples', () => {
    expect(() => expectedBestOfN(rewards, 7)).toThrow(/best of 7 .* 6 samples/);
  });
});

describe('expectedOfBest', () => {
  const proxy = [3, -1, 4, 1, 5, 1];
  const gold = [1, 7, -2, 4, 0.5, 8];

  it('is the mean over all subsets of the gold of the best by proxy; ties share', () => {
    for (let n = 1; n <= proxy.length; n++) {
      let [sum, count] = [0, 0];
      for (let set = 0; set < 2 ** proxy.length; set++) {
        const own = [...proxy.keys()].filter((at) => set & (1 << at));
        if (own.length !== n) continue;
        const best = Math.max(...own.map((at) => proxy[at]!));
        const chosen = own.filter((at) => proxy[at] === best);
        sum += chosen.reduce((total, at) => total + gold[at]!, 0) / chosen.length;
        count++;
      }
      expect(Math.abs(expectedOfBest(proxy, gold, n) - sum / count)).toBeLessThan(1e-12);
    }
  });

  it('is the mean of all samples where the proxy says nothing, for each n', () => {
    for (const n of [1, 2, 6]) {
      expect(expectedOfBest([2, 2, 2, 2, 2, 2], gold, n)).toBeCloseTo(18.5 / 6, 12);
    }
  });

  it('rejects lists of different lengths', () => {
    expect(() => expectedOfBest(proxy, [1], 2)).toThrow(/6 rewards and 1 values/);
  });
});
