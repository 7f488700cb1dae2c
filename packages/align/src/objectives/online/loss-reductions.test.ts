import { gradients, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { lossReductions, reduceLoss, reductionWeights, stepTotals } from './loss-reductions.ts';
import { RolloutLayout } from './rollout.ts';

const wide = { dtype: 'float64' } as const;
// Two prompts; the second has one short and one long completion.
const layout = RolloutLayout.of([2, 2, 1, 5], [0, 0, 1, 1]);
const losses = [1, 3, 5, 7, 2, 1, 1, 1, 1, 6];

describe('reductionWeights', () => {
  const of = (name: (typeof lossReductions)[number], maxTokens?: number) =>
    tidy(() =>
      reduceLoss(
        tensor(losses, wide),
        reductionWeights(layout, name, maxTokens === undefined ? {} : { maxTokens }),
      ).item(),
    );

  it('are the means that their names describe', () => {
    expect(of('sequence_sum')).toBeCloseTo((4 + 12 + 2 + 10) / 4, 14);
    expect(of('grpo')).toBeCloseTo((2 + 6 + 2 + 2) / 4, 14);
    expect(of('dapo')).toBeCloseTo(28 / 10, 14);
    expect(of('bnpo')).toBeCloseTo(28 / 10, 14);
    expect(of('dapo_group')).toBeCloseTo((16 / 4 + 12 / 6) / 2, 14);
    expect(of('dr_grpo', 8)).toBeCloseTo(28 / 4 / 8, 14);
  });

  it.each(
    lossReductions.filter((name) => name !== 'bnpo'),
  )('%s: a step in two passes has the gradient of the step in one (TRL#3021, TRL#6439)', (name) => {
    tidy(() => {
      const options = { maxTokens: 8 };
      const whole = tensor(losses, wide).setRequiresGrad();
      const loss = reduceLoss(whole, reductionWeights(layout, name, options));
      const slope = gradients(loss, [whole])[0]!.toArray();
      const parts = [[0, 2, 3], [1]].map((sequences) => layout.select(sequences));
      const totals = stepTotals(parts.map((part) => part.layout));
      for (const { layout: part, tokens } of parts) {
        const weights = reductionWeights(part, name, { ...options, totals });
        tokens.forEach((token, at) => {
          expect(weights[at]).toBe(slope[token]);
        });
      }
    });
  });

  it('bnpo is the mean over passes of each pass alone, by its definition', () => {
    const parts = [
      [0, 1],
      [2, 3],
    ].map((sequences) => layout.select(sequences).layout);
    const totals = stepTotals(parts);
    expect(reductionWeights(parts[0]!, 'bnpo', { totals })[0]).toBe(1 / (2 * 4));
    expect(reductionWeights(parts[1]!, 'bnpo', { totals })[0]).toBe(1 / (2 * 6));
  });

  it('grpo gives a token of a long completion less weight, dr_grpo and dapo do not (TRL#3138)', () => {
    const weights = (name: (typeof lossReductions)[number]) =>
      reductionWeights(layout, name, { maxTokens: 8 });
    expect(weights('grpo')[4]! / weights('grpo')[5]!).toBe(5);
    expect(weights('dr_grpo')[4]).toBe(weights('dr_grpo')[5]);
    expect(weights('dapo')[4]).toBe(weights('dapo')[5]);
  });

  it('one-token completions are finite in all of them', () => {
    const short = RolloutLayout.of([1, 1], [0, 0]);
    for (const name of lossReductions) {
      const weights = reductionWeights(short, name, { maxTokens: 1 });
      expect([...weights]).toEqual([0.5, 0.5]);
    }
  });

  it('rejects dr_grpo without its constant, and unknown names', () => {
    expect(() => reductionWeights(layout, 'dr_grpo')).toThrow(/maxTokens/);
    expect(() => reductionWeights(layout, 'mean' as 'grpo')).toThrow(/"mean".*grpo, dr_grpo/);
    tidy(() => expect(() => reduceLoss(tensor([1]), [1, 2])).toThrow(/2 weights for 1 scored/));
  });
});
