import { expectedOfBest } from '@keel/align/objectives';
import {
  bestOfNKl,
  fitOverOptimisation,
  overOptimisationCurve,
  resamplingRandom,
} from '@keel/statistics';
import { describe, expect, it } from 'vitest';
import { bestOfNPolicy, exactKl, expected, tiltedPolicy } from './closed-policies.ts';

const world = {
  probabilities: [0.3, 0.1, 0.25, 0.05, 0.2, 0.1],
  proxy: [0.5, 2, -1, 3.5, 2, 0.1],
};
const gold = [1, 0.2, -0.5, -3, 1.4, 0.7];

/** The policy of best-of-n by every possible list of n samples. */
function enumerated(n: number): number[] {
  const { probabilities, proxy } = world;
  const found = probabilities.map(() => 0);
  const walk = (samples: readonly number[], probability: number): void => {
    if (samples.length < n) {
      for (const [at, one] of probabilities.entries()) walk([...samples, at], probability * one);
      return;
    }
    const best = Math.max(...samples.map((at) => proxy[at]!));
    const chosen = samples.filter((at) => proxy[at] === best);
    for (const at of chosen) found[at]! += probability / chosen.length;
  };
  walk([], 1);
  return found;
}

describe('best of n', () => {
  it('has the probabilities, KL and rewards of all lists of samples, to 1e-12', () => {
    for (const n of [1, 2, 3, 5]) {
      const [policy, all] = [bestOfNPolicy(world, n), enumerated(n)];
      for (const [at, one] of policy.entries())
        expect(Math.abs(one - all[at]!)).toBeLessThan(1e-12);
      const kl = exactKl(policy, world.probabilities);
      expect(Math.abs(kl - exactKl(all, world.probabilities))).toBeLessThan(1e-12);
      expect(kl).toBeLessThanOrEqual(bestOfNKl(n));
      for (const values of [gold, world.proxy])
        expect(Math.abs(expected(policy, values) - expected(all, values))).toBeLessThan(1e-12);
    }
  });

  it('is what the unbiased estimator has as its mean over all sets of samples', () => {
    const { probabilities, proxy } = world;
    for (const n of [1, 2, 3]) {
      let mean = 0;
      const walk = (samples: readonly number[], probability: number): void => {
        if (samples.length < 4) {
          for (const [at, one] of probabilities.entries())
            walk([...samples, at], probability * one);
          return;
        }
        const own = (values: readonly number[]): number[] => samples.map((at) => values[at]!);
        mean += probability * expectedOfBest(own(proxy), own(gold), n);
      };
      walk([], 1);
      expect(Math.abs(mean - expected(bestOfNPolicy(world, n), gold))).toBeLessThan(1e-12);
    }
  });

  it('approaches log n - (n - 1)/n with many answers', () => {
    const size = 20_000;
    const many = {
      probabilities: new Array(size).fill(1 / size),
      proxy: Array.from({ length: size }, (_, at) => at),
    };
    for (const n of [2, 16]) {
      const kl = exactKl(bestOfNPolicy(many, n), many.probabilities);
      expect(Math.abs(kl - bestOfNKl(n))).toBeLessThan(1e-3);
    }
  });
});

describe('the tilted policy', () => {
  it('is the optimum of reward minus beta KL: no other policy has more', () => {
    const { probabilities, proxy } = world;
    for (const beta of [0.2, 1, 5]) {
      const policy = tiltedPolicy(world, beta);
      const aim = (one: readonly number[]): number =>
        expected(one, proxy) - beta * exactKl(one, probabilities);
      // Its value in closed form.
      const free =
        beta *
        Math.log(
          expected(
            probabilities,
            proxy.map((r) => Math.exp(r / beta)),
          ),
        );
      expect(Math.abs(aim(policy) - free)).toBeLessThan(1e-12);
      const random = resamplingRandom(3);
      for (let trial = 0; trial < 200; trial++) {
        const moved = policy.map((one) => one * (1 + 0.1 * (random() - 0.5)));
        const sum = moved.reduce((total, one) => total + one, 0);
        expect(aim(moved.map((one) => one / sum))).toBeLessThanOrEqual(aim(policy));
      }
    }
  });

  it('refuses a beta of 0', () => expect(() => tiltedPolicy(world, 0)).toThrow(RangeError));
});

/** Solves a linear system by elimination with the largest pivots. */
function solved(rows: number[][], right: number[]): number[] {
  const all = rows.map((row, at) => [...row, right[at]!]);
  for (let column = 0; column < all.length; column++) {
    const pivot = all
      .slice(column)
      .reduce((most, row) => (Math.abs(row[column]!) > Math.abs(most[column]!) ? row : most));
    all.splice(all.indexOf(pivot), 1);
    all.splice(column, 0, pivot);
    for (const [at, row] of all.entries()) {
      if (at === column) continue;
      const factor = row[column]! / pivot[column]!;
      for (let place = column; place <= all.length; place++) row[place]! -= factor * pivot[place]!;
    }
  }
  return all.map((row, at) => row.at(-1)! / row[at]!);
}

describe("worlds in which Gao et al.'s form is exact", () => {
  const truth = { alpha: 1.2, beta: 0.5 };
  const proxy = [0, 1, 2, 3, 4];
  const probabilities = [0.4, 0.25, 0.2, 0.1, 0.05];
  const policies = {
    'best-of-n': [1, 2, 4, 8, 16].map((n) => bestOfNPolicy({ probabilities, proxy }, n)),
    rl: [1e9, 4, 2, 1, 0.5].map((beta) => tiltedPolicy({ probabilities, proxy }, beta)),
  };

  it.each(['best-of-n', 'rl'] as const)('%s: the fit gives alpha and beta back', (curve) => {
    const points = policies[curve].map((policy) => exactKl(policy, probabilities));
    // The gold reward of five answers that has the curve's value at each of five policies.
    const aims = points.map((kl) => overOptimisationCurve(curve, truth, kl));
    const world = solved(
      policies[curve].map((one) => [...one]),
      aims,
    );
    const measured = policies[curve].map((policy, at) => ({
      kl: points[at]!,
      reward: expected(policy, world),
    }));
    const fit = fitOverOptimisation(
      curve,
      measured.filter(({ kl }) => kl > 1e-12),
    );
    expect(fit.alpha).toBeCloseTo(truth.alpha, 8);
    expect(fit.beta).toBeCloseTo(truth.beta, 8);
  });
});
