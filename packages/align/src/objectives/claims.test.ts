// The papers' claims about their objectives, on worlds so small that the truth is known.
// docs/results/objectives.md has the figures.
import { setThreads } from '@keel/torch';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  bradleyTerry,
  deterministic,
  drawn,
  featureWorld,
  fitted,
  fittedRankings,
  heldOutOfPaired,
  heldOutOfUnpaired,
  meanPreference,
  normal,
  tinyWorld,
} from './simulation/claims.ts';
import { network } from './simulation/feature-policies.ts';
import { uniforms } from './simulation/small-world.ts';

const world = tinyWorld();
const s = (x: number): number => 1 / (1 + Math.exp(-x));

beforeAll(() => setThreads(1));

describe('with Bradley-Terry preferences', () => {
  const labels = bradleyTerry(world);

  it.each([0.1, 0.3, 1])('DPO converges to pi_ref exp(r/b) at b = %d', (beta) => {
    const found = fitted(world, labels, 'sigmoid', { beta });
    expect(world.totalVariation(found, world.optimum(beta))).toBeLessThan(1e-9);
  });

  it('DPO on one row for each pair, with the probability of its label, converges there too', () => {
    const one = labels.filter(
      ({ chosen, rejected }) => ((chosen + rejected) % 2 === 0) === chosen < rejected,
    );
    const soft = one.map(({ chosen, rejected, weight }) => {
      const other = labels.find((label) => label.chosen === rejected && label.rejected === chosen)!;
      const all = weight + other.weight;
      return { chosen, rejected, weight: all, probability: weight / all };
    });
    expect(soft).toHaveLength(labels.length / 2);
    expect(soft.some(({ probability }) => probability < 0.5)).toBe(true);
    const found = fitted(world, soft, 'sigmoid', { beta: 0.3 });
    expect(world.totalVariation(found, world.optimum(0.3))).toBeLessThan(1e-9);
    // Without the probabilities, the same rows are taken for certain.
    const hard = soft.map(({ probability: _, ...label }) => label);
    const taken = fitted(world, hard, 'sigmoid', { beta: 0.3 });
    expect(world.totalVariation(taken, world.optimum(0.3))).toBeGreaterThan(0.2);
  });

  it.each([
    ['dno', { beta: 0.5 }],
    ['rebel', { beta: 1, rebelEta: 2 }],
  ])('%s, given rewards, converges there too', (name, given) => {
    const found = fitted(world, labels, name, given);
    expect(world.totalVariation(found, world.optimum(0.5))).toBeLessThan(1e-9);
  });

  it('Plackett-Luce DPO on whole rankings converges there too', () => {
    const found = fittedRankings(world, 0.5);
    expect(world.totalVariation(found, world.optimum(0.5))).toBeLessThan(1e-9);
  });

  it('IPO converges to pi_ref exp(P(y beats the others)/b) instead', () => {
    const preferred = meanPreference(world, (one, other) =>
      s(world.rewards[one]! - world.rewards[other]!),
    );
    const found = fitted(world, labels, 'ipo', { beta: 0.3 });
    expect(world.totalVariation(found, world.optimum(0.3, preferred))).toBeLessThan(1e-9);
    expect(world.totalVariation(found, world.optimum(0.3))).toBeGreaterThan(0.2);
  });

  it('the error of DPO falls with the square root of the number of labels', () => {
    const distance = (count: number): number => {
      const all = [1, 2, 3, 4].map((seed) => {
        const found = fitted(world, drawn(world, count, uniforms(seed)), 'sigmoid', { beta: 1 });
        return world.totalVariation(found, world.optimum(1));
      });
      return all.reduce((sum, one) => sum + one, 0) / all.length;
    };
    const [few, many] = [distance(2 ** 9), distance(2 ** 15)];
    expect(many).toBeLessThan(0.02);
    expect(few / many).toBeGreaterThan(4); // 8 is the root
    expect(few / many).toBeLessThan(16);
  });
});

describe('with certain preferences', () => {
  const labels = deterministic(world);
  /** Largest log-ratio margin after each of these steps at a constant rate. */
  const margins = (name: string, given: { beta: number }, at: readonly number[]): number[] => {
    const found: number[] = [];
    fitted(world, labels, name, given, {
      ...{ steps: Math.max(...at), learningRate: 0.1, decay: false },
      seen(step, read) {
        if (!at.includes(step)) return;
        const raised = read().map((one, place) => one - world.reference[place]!);
        found.push(Math.max(...labels.map((one) => raised[one.chosen]! - raised[one.rejected]!)));
      },
    });
    return found;
  };

  it('the margins of DPO diverge', () => {
    const [early, late] = margins('sigmoid', { beta: 0.1 }, [400, 1600]);
    expect(late).toBeGreaterThan(1.5 * early!);
  });

  it("IPO's margins converge to its closed form", () => {
    const beta = 0.1;
    const [early, late] = margins('ipo', { beta }, [400, 1600]);
    expect(late).toBeCloseTo(early!, 6);
    // The best beats all of the 5 except itself, the worst none: (1 - 1/5) / b.
    expect(late).toBeCloseTo(0.8 / beta, 6);
  });

  it('beta keeps IPO near the reference, but not DPO', () => {
    const kl = (name: string, beta: number): number =>
      world.kl(
        fitted(world, labels, name, { beta }, { steps: 800, learningRate: 0.1, decay: false }),
      );
    const most = world.kl(world.optimum(0.005));
    expect(kl('sigmoid', 0.5) / most).toBeGreaterThan(0.95);
    expect(kl('ipo', 0.5) / most).toBeLessThan(0.1);
  });
});

describe('with a share of the labels flipped', () => {
  it('robust DPO still converges to the optimum; DPO falls short of it, and conservative DPO even more', () => {
    for (const flipped of [0.1, 0.2, 0.3]) {
      const labels = bradleyTerry(world, flipped);
      const distance = (name: string, labelSmoothing: number): number => {
        const found = fitted(world, labels, name, { beta: 0.3, labelSmoothing });
        return world.totalVariation(found, world.optimum(0.3));
      };
      expect(distance('robust', flipped)).toBeLessThan(1e-6);
      const plain = distance('sigmoid', 0);
      expect(plain).toBeGreaterThan(0.8 * flipped);
      expect(distance('sigmoid', flipped)).toBeGreaterThan(plain);
    }
  });

  it('on held-out pairs robust DPO is closer to the optimum, with about the same accuracy for all three', () => {
    const options = { features: 20, pairs: 1000, spread: 2, labels: 'bradley_terry' } as const;
    const found = [1, 2, 3].map((seed) => {
      const noisy = featureWorld({ ...options, flipped: 0.2, seed });
      const last = (name: string, labelSmoothing: number) =>
        heldOutOfPaired(noisy, name, { beta: 0.5, labelSmoothing }, { at: [200] })[0]!;
      return [last('sigmoid', 0), last('sigmoid', 0.2), last('robust', 0.2)];
    });
    const mean = (which: number, key: 'accuracy' | 'distance'): number =>
      found.reduce((sum, one) => sum + one[which]![key], 0) / found.length;
    const [plain, conservative, robust] = [0, 1, 2].map((which) => mean(which, 'distance'));
    expect(robust).toBeLessThan(0.8 * plain!);
    expect(conservative).toBeGreaterThan(plain!);
    for (const which of [1, 2])
      expect(Math.abs(mean(which, 'accuracy') - mean(0, 'accuracy'))).toBeLessThan(0.02);
  });
});

it('a network that memorises flipped labels is more accurate with robust DPO, and less with conservative DPO', () => {
  const options = { features: 20, pairs: 200, spread: 3, labels: 'certain', flipped: 0.3 } as const;
  const gains = [1, 2, 3, 4].map((seed) => {
    const noisy = featureWorld({ ...options, seed });
    const accuracy = (name: string, labelSmoothing: number): number => {
      const uniform = uniforms(1000 + seed);
      const how = { of: network(64, () => normal(uniform)), learningRate: 0.01, at: [200] };
      return heldOutOfPaired(noisy, name, { beta: 0.5, labelSmoothing }, how)[0]!.accuracy;
    };
    const plain = accuracy('sigmoid', 0);
    return [accuracy('sigmoid', 0.3) - plain, accuracy('robust', 0.3) - plain];
  });
  const mean = (which: number): number => gains.reduce((sum, one) => sum + one[which]!, 0) / 4;
  expect(mean(0)).toBeLessThan(-0.02);
  expect(mean(1)).toBeGreaterThan(0.01);
});

describe('with labels of single answers', () => {
  it.each([
    'kto',
    'bco',
  ] as const)('%s comes close to DPO, less so with half as many answers', (name) => {
    const options = { features: 20, pairs: 1000, spread: 2, labels: 'bradley_terry' } as const;
    const all = [1, 2, 3].map((seed) => {
      const pairs = featureWorld({ ...options, flipped: 0, seed });
      const beta = 0.5;
      return [
        heldOutOfPaired(pairs, 'sigmoid', { beta }, { at: [200] })[0]!.accuracy,
        heldOutOfUnpaired(pairs, name, { beta, rows: 'both' }, { at: [200] })[0]!.accuracy,
        heldOutOfUnpaired(pairs, name, { beta, rows: 'one' }, { at: [200] })[0]!.accuracy,
      ];
    });
    const [dpo, both, one] = [0, 1, 2].map(
      (which) => all.reduce((sum, accuracies) => sum + accuracies[which]!, 0) / all.length,
    );
    expect(dpo).toBeGreaterThan(0.9);
    expect(both).toBeGreaterThan(dpo! - 0.04);
    expect(one).toBeGreaterThan(dpo! - 0.08);
    expect(one).toBeLessThan(dpo!);
  });
});
