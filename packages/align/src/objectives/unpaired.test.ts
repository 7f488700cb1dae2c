// Objectives on single answers: gradients in closed form and by finite differences, and extreme
// numbers.
import { gradcheck, type Tensor, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { expectedLoss, type UnpairedScores } from './unpaired.ts';
import { unpairedObjective, unpairedObjectiveNames } from './unpaired-registry.ts';

const wide = { dtype: 'float64' } as const;
const policy = [-12, -20.5, -7.25, -30];
const reference = [-13, -20, -9, -27];
const labels = [1, 0, 0, 1];
const options = { beta: 0.3, desirableWeight: 1.2, undesirableWeight: 0.7 };
const [kl, delta] = [0.4, 0.15];

const scoresOf = (own: Tensor): UnpairedScores => ({
  policy: own,
  reference: tensor(reference, wide),
  desirable: tensor(labels, wide),
  kl,
  running: {
    bcoDelta: delta,
    // A quarter is desirable, with a mean of 0.9.
    ...{ bcoShare: 0.25, bcoDesirable: 0.25 * 0.9, bcoUndesirable: 0.75 * (2 * delta - 0.9) },
  },
});
const s = (x: number): number => 1 / (1 + Math.exp(-x));

const closed = {
  kto(ratio: number, sign: number): number {
    const x = sign * 0.3 * (ratio - kl);
    return -sign * 0.3 * s(x) * s(-x);
  },
  bco: (ratio: number, sign: number): number => -sign * 0.3 * s(-sign * (0.3 * ratio - delta)),
  bco_balanced: (ratio: number, sign: number): number => closed.bco(ratio, sign),
  apo_zero_unpaired: (ratio: number, sign: number): number =>
    -sign * 0.3 * s(0.3 * ratio) * s(-0.3 * ratio),
};

describe.each(unpairedObjectiveNames)('%s', (name) => {
  const objective = unpairedObjective(name);

  it('has its gradient in closed form', () => {
    const gradient = tidy(() => {
      const own = tensor(policy, wide).setRequiresGrad();
      objective.loss(scoresOf(own), options).sum().backward();
      return own.grad!.toArray();
    });
    labels.forEach((label, at) => {
      const ratio = policy[at]! - reference[at]!;
      const weight = label === 1 ? 1.2 : 0.7;
      expect(gradient[at]).toBeCloseTo(weight * closed[name](ratio, 2 * label - 1), 12);
    });
  });

  it('has a gradient that matches finite differences', () => {
    tidy(() =>
      gradcheck(
        (own) => objective.loss(scoresOf(own), options),
        [tensor(policy, wide).setRequiresGrad()],
      ),
    );
  });

  it.each([1e4, -1e4, 0])('is finite at a log-ratio of %d', (ratio) => {
    tidy(() => {
      const own = tensor(
        reference.map((value) => value + ratio),
        wide,
      ).setRequiresGrad();
      const losses = objective.loss(scoresOf(own), options);
      losses.sum().backward();
      for (const value of [...losses.toArray(), ...own.grad!.toArray()])
        expect(Number.isFinite(value)).toBe(true);
    });
  });
});

it('apo_zero_unpaired is KTO with a reference point of 0', () => {
  tidy(() => {
    const at = (name: 'kto' | 'apo_zero_unpaired', own: number): number[] =>
      unpairedObjective(name)
        .loss({ ...scoresOf(tensor(policy, wide)), kl: own }, options)
        .toArray();
    expect(at('apo_zero_unpaired', kl)).toEqual(at('kto', 0));
    expect(at('apo_zero_unpaired', kl)).not.toEqual(at('kto', kl));
  });
});

describe('far out', () => {
  it('KTO gives up on a hopeless answer, BCO does not', () => {
    const slope = (name: 'kto' | 'bco'): number =>
      tidy(() => {
        const own = tensor([-1013, -20, -9, -27], wide).setRequiresGrad();
        unpairedObjective(name).loss(scoresOf(own), options).sum().backward();
        return own.grad!.toArray()[0]!;
      });
    expect(Math.abs(slope('kto'))).toBeLessThan(1e-9);
    expect(slope('bco')).toBeCloseTo(-0.3 * 1.2, 9);
  });
});

it("bco_balanced's delta is halfway between the labels, bco's the mean of all answers; a label that has not occurred counts as 0", () => {
  tidy(() => {
    const scores = { ...scoresOf(tensor(policy, wide)), desirable: tensor([1, 0, 0, 0], wide) };
    const reward = policy.map((one, at) => 0.3 * (one - reference[at]!));
    const meansOf = (name: 'bco' | 'bco_balanced', seen: UnpairedScores) =>
      Object.fromEntries(
        Object.entries(unpairedObjective(name).running!).map(([mean, of]) => [
          mean,
          of(seen, options).mean().item(),
        ]),
      );
    /** Loss of an answer whose reward is 0: -w log s(-delta). */
    const deltaOf = (name: 'bco' | 'bco_balanced', running: Record<string, number>): number => {
      const one = { policy: tensor([0], wide), reference: tensor([0], wide) };
      const seen = { ...scores, ...one, desirable: tensor([1], wide), running };
      return Math.log(Math.expm1(unpairedObjective(name).loss(seen, options).item() / 1.2));
    };
    const [desirable, ...others] = reward;
    const mean = others.reduce((a, b) => a + b) / 3;
    const all = reward.reduce((a, b) => a + b) / 4;
    expect(deltaOf('bco', meansOf('bco', scores))).toBeCloseTo(all, 9);
    const balanced = meansOf('bco_balanced', scores);
    expect(deltaOf('bco_balanced', balanced)).toBeCloseTo((desirable! + mean) / 2, 9);
    for (const label of [0, 1]) {
      const alone = { ...scores, desirable: tensor([label, label, label, label], wide) };
      expect(deltaOf('bco_balanced', meansOf('bco_balanced', alone))).toBeCloseTo(all / 2, 9);
    }
    expect(deltaOf('bco_balanced', {})).toBeCloseTo(0, 9);
  });
});

describe.each(unpairedObjectiveNames)('%s with uncertain labels', (name) => {
  const objective = unpairedObjective(name);
  /** Losses and gradients at these probabilities of being desirable. */
  const at = (desirable: readonly number[]): [losses: number[], gradient: number[]] =>
    tidy(() => {
      const own = tensor(policy, wide).setRequiresGrad();
      const scores = { ...scoresOf(own), desirable: tensor([...desirable], wide) };
      const losses = expectedLoss(objective, scores, options);
      losses.sum().backward();
      return [losses.toArray(), own.grad!.toArray()];
    });

  it('counts p times as desirable and 1 - p times as undesirable', () => {
    const [good, bad] = [at([1, 1, 1, 1]), at([0, 0, 0, 0])];
    const probabilities = [0.8, 0.5, 0.1, 0.25];
    at(probabilities).forEach((found, part) => {
      probabilities.forEach((p, answer) => {
        const expected = p * good[part]![answer]! + (1 - p) * bad[part]![answer]!;
        expect(found[answer]).toBeCloseTo(expected, 12);
      });
    });
  });

  it('leaves certain labels as they are, bit for bit', () => {
    const plain = tidy(() => objective.loss(scoresOf(tensor(policy, wide)), options).toArray());
    expect(at(labels)[0]).toEqual(plain);
    const mixed = at(labels.map((label, answer) => (answer === 2 ? 0.5 : label)))[0];
    for (const answer of [0, 1, 3]) expect(mixed[answer]).toBe(plain[answer]);
  });
});
