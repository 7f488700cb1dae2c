// A beta per pair gives the same losses as a separate call for the pairs of each beta.
import { type Tensor, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { type PairedCase, scoresOf } from './fixtures/paired-case.ts';
import { completeOptions, defaultBeta } from './mixture.ts';
import { pairedObjective, pairedObjectives } from './registry.ts';
import { withRowBetas } from './row-betas.ts';

const pairs: PairedCase = {
  policyChosen: [-12, -20.5, -7.25, -30, -9],
  policyRejected: [-14, -18, -8, -25, -11],
  referenceChosen: [-13, -20, -9, -27, -10],
  referenceRejected: [-13.5, -19, -7.5, -26, -10.5],
  tokensChosen: [5, 9, 4, 12, 3],
  tokensRejected: [6, 8, 4, 9, 5],
};
const wide = { dtype: 'float64' } as const;
const betas = [0.3, 0.1, 0.3, 0.7, 0.1];
const objectives = pairedObjectives.filter(
  (objective) => !objective.coupled && defaultBeta(objective) !== null,
);

/** Losses of all pairs and their gradients with respect to the policy's columns. */
const measured = (of: (scores: ReturnType<typeof scoresOf>) => Tensor): number[][] =>
  tidy(() => {
    const scores = scoresOf(pairs);
    const columns = [scores.policyChosen, scores.policyRejected].map((one) =>
      one.detach().clone().setRequiresGrad(),
    );
    const [policyChosen, policyRejected] = columns as [Tensor, Tensor];
    // Derived scores carry the gradient of the policy's columns.
    const own = { ...scores, policyChosen, policyRejected };
    const losses = of({ ...own, shared: { ...scores.shared, policyChosen, policyRejected } });
    losses.sum().backward();
    return [losses.toArray(), ...columns.map((column) => column.grad!.toArray())];
  });

describe.each(
  objectives.map((objective) => [objective.name, objective] as const),
)('%s', (_, objective) => {
  const options = completeOptions(objective, { beta: 0.5, labelSmoothing: 0.1 });

  it('gives each pair the loss for its beta', () => {
    const byRow = measured((scores) =>
      withRowBetas(objective).loss({ ...scores, rowBeta: tensor(betas, wide) } as never, options),
    );
    for (const beta of new Set(betas)) {
      const alone = measured((scores) => objective.loss(scores, { ...options, beta }));
      betas.forEach((own, pair) => {
        if (own !== beta) return;
        for (const [at, values] of byRow.entries())
          expect(values[pair]).toBeCloseTo(alone[at]![pair]!, 12);
      });
    }
  });
});

it('without betas per row, or with the same one for all, it is the objective itself', () => {
  const sigmoid = pairedObjective('sigmoid');
  const options = completeOptions(sigmoid, { beta: 0.3 });
  const usual = measured((scores) => sigmoid.loss(scores, options));
  expect(measured((scores) => withRowBetas(sigmoid).loss(scores, options))).toEqual(usual);
  const same = { rowBeta: tensor([0.3, 0.3, 0.3, 0.3, 0.3], wide).keep() };
  const other = { ...options, beta: 9 };
  expect(
    measured((scores) => withRowBetas(sigmoid).loss({ ...scores, ...same } as never, other)),
  ).toEqual(usual);
  same.rowBeta.dispose();
});

it("a running mean uses each pair's beta too", () => {
  tidy(() => {
    const objective = pairedObjective('bco_pair');
    const options = completeOptions(objective, { beta: 0.5 });
    const scores = { ...scoresOf(pairs), rowBeta: tensor(betas, wide) };
    const found = withRowBetas(objective).running!.bcoDelta!(scores, options).toArray();
    betas.forEach((beta, pair) => {
      const c = pairs.policyChosen[pair]! - pairs.referenceChosen[pair]!;
      const r = pairs.policyRejected[pair]! - pairs.referenceRejected[pair]!;
      expect(found[pair]).toBeCloseTo((beta * (c + r)) / 2, 12);
    });
  });
});
