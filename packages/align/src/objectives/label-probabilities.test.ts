// The loss of a pair whose label is uncertain: its expectation over the label, for every objective
// that supports it.
import { type Tensor, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { type PairedCase, scoresOf } from './fixtures/paired-case.ts';
import { withLabelProbabilities } from './label-probabilities.ts';
import { completeOptions, weightedObjective } from './mixture.ts';
import type { PairedObjective, PairedOptions } from './paired.ts';
import { pairedObjective, pairedObjectives } from './registry.ts';
import { withRowBetas } from './row-betas.ts';

const pairs: PairedCase = {
  policyChosen: [-12, -20.5, -7.25, -30, -9],
  policyRejected: [-14, -18, -8, -25, -11],
  referenceChosen: [-13, -20, -9, -27, -10],
  referenceRejected: [-13.5, -19, -7.5, -26, -10.5],
  tokensChosen: [5, 9, 4, 12, 3],
  tokensRejected: [6, 8, 4, 9, 5],
  bcoDelta: 0.07,
};
const swappedPairs: PairedCase = {
  policyChosen: pairs.policyRejected,
  policyRejected: pairs.policyChosen,
  referenceChosen: pairs.referenceRejected,
  referenceRejected: pairs.referenceChosen,
  tokensChosen: pairs.tokensRejected,
  tokensRejected: pairs.tokensChosen,
  bcoDelta: 0.07,
};
const wide = { dtype: 'float64' } as const;
const probabilities = [1, 0, 0.5, 0.8, 0.3];
const all: readonly PairedObjective[] = pairedObjectives;
const soft = all.filter(({ softLabels }) => softLabels);

/** Of a case's answers, in the order of the case: alignment must follow the answers. */
const scored = (from: PairedCase, inOrder: boolean) => {
  const scores = scoresOf(from);
  const { chosen, rejected } = scoresOf(pairs).alignment;
  const alignment = inOrder ? { chosen, rejected } : { chosen: rejected, rejected: chosen };
  return { ...scores, alignment };
};

interface Found {
  losses: number[];
  /** With respect to the policy's log-probabilities of chosen and rejected, in the case's order. */
  chosen: number[];
  rejected: number[];
}

/** -0 as 0: a sum of gradients has no -0. */
const withoutSign = (values: readonly number[]): number[] => values.map((value) => value + 0);

/** Losses and gradients; `given` are probabilities. */
const measured = (
  objective: PairedObjective,
  options: PairedOptions,
  { from = pairs, given = null }: { from?: PairedCase; given?: readonly number[] | null } = {},
): Found =>
  tidy(() => {
    const scores = scored(from, from === pairs);
    const columns = [scores.policyChosen, scores.policyRejected].map((one) =>
      one.detach().clone().setRequiresGrad(),
    );
    const [policyChosen, policyRejected] = columns as [Tensor, Tensor];
    const own = {
      ...scores,
      ...{ policyChosen, policyRejected },
      shared: { ...scores.shared, policyChosen, policyRejected },
      ...(given && { labelProbability: tensor([...given], wide) }),
    };
    const losses = objective.loss(own, options);
    losses.sum().backward();
    const [chosen, rejected] = columns.map((column) => withoutSign(column.grad!.toArray()));
    return { losses: withoutSign(losses.toArray()), chosen: chosen!, rejected: rejected! };
  });

it('is supported by losses of a pair alone, and by no others', () => {
  const others = all.filter(({ softLabels }) => !softLabels);
  const refusing = [
    ...['aot', 'aot_unpaired', 'beta_dpo', 'beta_dpo_by_pair', 'chosen_nll'],
    ...['chosen_nll_by_token', 'cpo', 'cpo_summed', 'dno', 'dpop', 'odpo', 'orpo'],
    ...['orpo_by_answer', 'rebel'],
  ];
  expect(others.map(({ name }) => name)).toEqual(expect.arrayContaining(refusing));
  expect(soft.filter(({ coupled, needs = [] }) => coupled || needs.includes('scoreGap'))).toEqual(
    [],
  );
  for (const one of others) expect(withLabelProbabilities(one)).toBe(one);
});

describe.each(soft.map((objective) => [objective.name, objective] as const))('%s', (_, one) => {
  const objective = withLabelProbabilities(one);
  const smoothing = one.options && 'labelSmoothing' in one.options ? { labelSmoothing: 0.1 } : {};
  const options = completeOptions(one, smoothing);
  const plain = measured(one, options);
  const other = measured(one, options, { from: swappedPairs });

  it('is the loss itself without probabilities and at 1, bit for bit', () => {
    expect(measured(objective, options)).toEqual(plain);
    expect(measured(objective, options, { given: [1, 1, 1, 1, 1] })).toEqual(plain);
  });

  it('is the loss of the swapped pair at 0, bit for bit', () => {
    const found = measured(objective, options, { given: [0, 0, 0, 0, 0] });
    const { losses, chosen, rejected } = other;
    expect(found).toEqual({ losses, chosen: rejected, rejected: chosen });
  });

  it('is p L(chosen, rejected) + (1 - p) L(rejected, chosen), with its gradients', () => {
    const found = measured(objective, options, { given: probabilities });
    const { losses, chosen, rejected } = other;
    const opposite = { losses, chosen: rejected, rejected: chosen };
    for (const name of ['losses', 'chosen', 'rejected'] as const) {
      probabilities.forEach((p, at) => {
        const expected = p * plain[name][at]! + (1 - p) * opposite[name][at]!;
        expect(found[name][at], `${name} of pair ${at}`).toBeCloseTo(expected, 10);
      });
    }
    // Certain labels among uncertain ones have their own loss.
    expect(found.losses[0]).toBe(plain.losses[0]);
    expect(found.losses[1]).toBe(other.losses[1]);
  });
});

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const margin = (at: number): number =>
  pairs.policyChosen[at]! -
  pairs.referenceChosen[at]! -
  (pairs.policyRejected[at]! - pairs.referenceRejected[at]!);

/** The losses of an objective at one probability for all pairs. */
const at = (name: string, p: number, given: object = {}): number[] => {
  const one = pairedObjective(name);
  const options = completeOptions(one, { ...given });
  return measured(withLabelProbabilities(one), options, { given: [p, p, p, p, p] }).losses;
};

describe('closed forms', () => {
  const [beta, e, p] = [0.3, 0.1, 0.8];

  it('sigmoid: cDPO with e = 1 - p, and with e + (1 - 2e) p beside label smoothing', () => {
    const smoothed = (share: number) =>
      measured(pairedObjective('sigmoid'), { beta, labelSmoothing: share } as PairedOptions).losses;
    smoothed(1 - p).forEach((loss, pair) => {
      expect(at('sigmoid', p, { beta })[pair]).toBeCloseTo(loss, 12);
    });
    const weight = e + (1 - 2 * e) * p;
    smoothed(1 - weight).forEach((loss, pair) => {
      expect(at('sigmoid', p, { beta, labelSmoothing: e })[pair]).toBeCloseTo(loss, 12);
    });
  });

  it('sigmoid at one half is symmetric in the margin', () => {
    at('sigmoid', 0.5, { beta }).forEach((loss, pair) => {
      const x = beta * margin(pair);
      expect(loss).toBeCloseTo(-(Math.log(sigmoid(x)) + Math.log(sigmoid(-x))) / 2, 12);
    });
  });

  it('robust is linear in the label: weights (p - e)/(1 - 2e) and its complement', () => {
    const weight = (p - e) / (1 - 2 * e);
    at('robust', p, { beta, labelSmoothing: e }).forEach((loss, pair) => {
      const x = beta * margin(pair);
      const expected = -weight * Math.log(sigmoid(x)) - (1 - weight) * Math.log(sigmoid(-x));
      expect(loss).toBeCloseTo(expected, 10);
    });
  });

  it('ipo: a target of (2p - 1)/2b, up to a constant', () => {
    const target = 1 / (2 * beta);
    at('ipo', p, { beta }).forEach((loss, pair) => {
      const distance = margin(pair) - (2 * p - 1) * target;
      expect(loss).toBeCloseTo(distance ** 2 + (1 - (2 * p - 1) ** 2) * target ** 2, 10);
    });
  });

  it('hinge: both hinges', () => {
    at('hinge', p, { beta }).forEach((loss, pair) => {
      const x = beta * margin(pair);
      expect(loss).toBeCloseTo(p * Math.max(0, 1 - x) + (1 - p) * Math.max(0, 1 + x), 12);
    });
  });

  it('the gradient of sigmoid vanishes where s(b d) = p', () => {
    const d = Math.log(p / (1 - p)) / beta;
    const one: PairedCase = {
      ...{ policyChosen: [d - 5], policyRejected: [-5], referenceChosen: [0] },
      ...{ referenceRejected: [0], tokensChosen: [3], tokensRejected: [3] },
    };
    const objective = withLabelProbabilities(pairedObjective('sigmoid'));
    const options = completeOptions(objective, { beta });
    const found = measured(objective, options, { from: one, given: [p] });
    expect(found.chosen[0]).toBeCloseTo(0, 12);
  });
});

it('mixes a sum of objectives, and pairs with their own betas', () => {
  const [first, second] = [pairedObjective('sigmoid'), pairedObjective('hinge')];
  const mixture = withLabelProbabilities(
    weightedObjective([
      { objective: first, weight: 1 },
      { objective: second, weight: 0.5 },
    ]),
  );
  const options = { beta: 0.3 } as PairedOptions;
  const found = measured(mixture, options, { given: probabilities }).losses;
  const [one, other] = [first, second].map(
    (part) => measured(withLabelProbabilities(part), options, { given: probabilities }).losses,
  );
  found.forEach((loss, pair) => {
    expect(loss).toBeCloseTo(one![pair]! + 0.5 * other![pair]!, 12);
  });
  expect(
    weightedObjective([
      { objective: first, weight: 1 },
      { objective: pairedObjective('chosen_nll'), weight: 1 },
    ]).softLabels,
  ).toBe(false);

  tidy(() => {
    const both = withLabelProbabilities(withRowBetas(first));
    const betas = [0.3, 0.1, 0.3, 0.7, 0.1];
    const scores = { ...scoresOf(pairs), rowBeta: tensor(betas, wide) };
    const labelProbability = tensor(probabilities, wide);
    const losses = both.loss({ ...scores, labelProbability } as never, options).toArray();
    losses.forEach((loss, pair) => {
      const x = betas[pair]! * margin(pair);
      const p = probabilities[pair]!;
      expect(loss).toBeCloseTo(-p * Math.log(sigmoid(x)) - (1 - p) * Math.log(sigmoid(-x)), 12);
    });
  });
});

it('an infinite loss of weight 0 has no effect', () => {
  const huge: PairedCase = {
    ...{ policyChosen: [-1e6, 0], policyRejected: [0, -1e6] },
    ...{ referenceChosen: [0, 0], referenceRejected: [0, 0] },
    ...{ tokensChosen: [3, 3], tokensRejected: [3, 3] },
  };
  const infinite: PairedObjective = {
    name: 'exponential',
    needsReference: true,
    softLabels: true,
    loss: ({ policyChosen, policyRejected }) => policyRejected.sub(policyChosen).exp(),
  };
  const objective = withLabelProbabilities(infinite);
  tidy(() => {
    const scores = { ...scoresOf(huge), labelProbability: tensor([0, 1], wide) };
    expect(objective.loss(scores as never, { beta: 1 }).toArray()).toEqual([0, 0]);
  });
});
