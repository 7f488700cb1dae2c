// All registered objectives on rankings: gradients in closed form and by finite differences, and
// extreme numbers.
import { gradcheck, type Tensor, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { lossesOf, scoresOf } from './fixtures/paired-case.ts';
import { rankedObjectiveNames } from './ranked-names.ts';
import { rankedObjective, rankedObjectives } from './ranked-registry.ts';
import { pairedObjective } from './registry.ts';

const wide = { dtype: 'float64' } as const;
const beta = 0.3;
/** Rankings of three, of two, and of four with a tie. */
const offsets = Int32Array.of(0, 3, 5, 9);
const ranks = Int32Array.of(1, 2, 3, 1, 2, 1, 2, 2, 3);
const policy = [-12, -20.5, -7.25, -30, -14, -9, -11, -10.5, -3];
const reference = [-13, -20, -9, -27, -14.5, -10, -9.5, -12, -4];

const scoresAt = (own: Tensor) => ({
  policy: own,
  reference: tensor(reference, wide),
  ...{ offsets, ranks },
});

/**
 * d loss / d log p of the Plackett-Luce likelihood: -b (choices won - sum of the probabilities of
 * each choice).
 */
const closed: Record<string, () => number[]> = {
  plackett_luce() {
    const rewards = policy.map((one, at) => beta * (one - reference[at]!));
    const slopes = rewards.map(() => 0);
    for (let group = 0; group + 1 < offsets.length; group++) {
      const members = rewards.map((_, at) => at).slice(offsets[group], offsets[group + 1]);
      for (const best of members) {
        const rest = members.filter((one) => ranks[one]! > ranks[best]!);
        const sum = [best, ...rest].reduce((total, one) => total + Math.exp(rewards[one]!), 0);
        slopes[best]! -= beta;
        for (const one of [best, ...rest]) slopes[one]! += (beta * Math.exp(rewards[one]!)) / sum;
      }
    }
    return slopes;
  },
};

it('are those listed for --loss', () => {
  expect(rankedObjectives.map(({ name }) => name)).toEqual(rankedObjectiveNames);
  expect(Object.keys(closed)).toEqual(rankedObjectiveNames);
  for (const name of rankedObjectiveNames) expect(() => pairedObjective(name)).toThrow(name);
});

describe.each(rankedObjectiveNames)('%s', (name) => {
  const objective = rankedObjective(name)!;

  it('has its gradient in closed form, with ties', () => {
    const found = tidy(() => {
      const own = tensor(policy, wide).setRequiresGrad();
      objective.loss(scoresAt(own), { beta }).sum().backward();
      return own.grad!.toArray();
    });
    const expected = closed[name]!();
    for (const [at, slope] of found.entries()) expect(slope).toBeCloseTo(expected[at]!, 12);
  });

  it('has a gradient that matches finite differences', () => {
    tidy(() =>
      gradcheck(
        (own) => objective.loss(scoresAt(own), { beta }),
        [tensor(policy, wide).setRequiresGrad()],
      ),
    );
  });

  it.each([1e4, -1e4, 0])('is finite if the first answer is %d away from the rest', (gap) => {
    for (const dtype of ['float64', 'float32'] as const) {
      tidy(() => {
        const own = tensor(
          reference.map((one, at) => one + (at === 0 ? gap : 0)),
          { dtype },
        ).setRequiresGrad();
        const scores = { ...scoresAt(own), reference: tensor(reference, { dtype }) };
        const losses = objective.loss(scores, { beta });
        losses.sum().backward();
        for (const value of [...losses.toArray(), ...own.grad!.toArray()])
          expect(Number.isFinite(value), `${value} in ${dtype}`).toBe(true);
      });
    }
  });

  it('is DPO on rankings of two', () => {
    const pairs = {
      ...{ policyChosen: [-12, -7], policyRejected: [-14, -3] },
      ...{ referenceChosen: [-13, -8], referenceRejected: [-13.5, -5] },
      ...{ tokensChosen: [4, 4], tokensRejected: [4, 4] },
    };
    tidy(() => {
      const dpo = lossesOf(pairedObjective('sigmoid'), scoresOf(pairs), { beta }).toArray();
      const found = objective.loss(
        {
          policy: tensor([-12, -14, -7, -3], wide),
          reference: tensor([-13, -13.5, -8, -5], wide),
          offsets: Int32Array.of(0, 2, 4),
        },
        { beta },
      );
      for (const [at, loss] of found.toArray().entries()) expect(loss).toBeCloseTo(dpo[at]!, 12);
    });
  });
});
