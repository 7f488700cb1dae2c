import { gradcheck, gradients, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { importanceRatio, ratioLevels } from './importance-ratio.ts';
import { RolloutLayout } from './rollout.ts';

const wide = { dtype: 'float64' } as const;
const layout = RolloutLayout.of([2, 1, 3]);
const policy = () => tensor([-1, -0.5, -2, -1, -0.1, -3], wide).setRequiresGrad();
const old = () => tensor([-1.2, -0.4, -2.3, -1.5, -0.2, -2.2], wide);

describe('importanceRatio', () => {
  it('is per token, the geometric mean of a sequence, or its product', () => {
    tidy(() => {
      const of = (level: (typeof ratioLevels)[number]) =>
        importanceRatio(layout, { policy: policy(), old: old() }, level).toArray();
      const close = (found: number[], logs: number[]) =>
        found.forEach((one, at) => {
          expect(Math.abs(one - Math.exp(logs[at]!))).toBeLessThan(1e-14);
        });
      close(of('token'), [0.2, -0.1, 0.3, 0.5, 0.1, -0.8]);
      const mean = [0.05, 0.05, 0.3, -0.2 / 3, -0.2 / 3, -0.2 / 3];
      close(of('sequence'), mean);
      close(of('sequence_token'), mean);
      close(of('sequence_product'), [0.1, 0.1, 0.3, -0.2, -0.2, -0.2]);
    });
  });

  it.each([
    'token',
    'sequence',
    'sequence_product',
  ] as const)('%s has a gradient that matches finite differences', (level) => {
    tidy(() => {
      const fixed = old();
      gradcheck(
        (input) => importanceRatio(layout, { policy: input, old: fixed }, level),
        [policy()],
      );
    });
  });

  it("sequence_token has the sequence's value and each token's own gradient (GSPO, eq. 14)", () => {
    tidy(() => {
      const input = policy();
      const ratio = importanceRatio(layout, { policy: input, old: old() }, 'sequence_token');
      const seed = tensor([1, 2, 3, 4, 5, 6], wide);
      const [slope] = gradients(ratio, [input], seed);
      expect(slope!.toArray()).toEqual(ratio.mul(seed).toArray());
    });
  });

  it('GSPO and GSPO-token have the same gradient if the advantages of a sequence are equal (TRL#3820)', () => {
    tidy(() => {
      const slopes = (['sequence', 'sequence_token'] as const).map((level) => {
        const input = policy();
        const ratio = importanceRatio(layout, { policy: input, old: old() }, level);
        const seed = tensor([2, 2, -1, 0.5, 0.5, 0.5], wide);
        return gradients(ratio, [input], seed)[0]!.toArray();
      });
      slopes[0]!.forEach((one, at) => {
        expect(Math.abs(one - slopes[1]![at]!)).toBeLessThan(1e-14);
      });
    });
  });

  it.each(ratioLevels)('%s: no gradient reaches the old policy', (level) => {
    tidy(() => {
      const before = old().setRequiresGrad();
      const ratio = importanceRatio(layout, { policy: policy(), old: before }, level);
      expect(gradients(ratio, [before])[0]).toBeNull();
    });
  });

  it.each(ratioLevels)('%s is finite at log-ratios of 1e3 in float32', (level) => {
    tidy(() => {
      const input = tensor([0, 0, -1e3, -1e3, -1e3, 0]).setRequiresGrad();
      const before = tensor([-1e3, -1e3, 0, 0, -1e3, -1e3]);
      const ratio = importanceRatio(layout, { policy: input, old: before }, level);
      expect(ratio.isFinite()).toBe(true);
      expect(gradients(ratio, [input])[0]!.isFinite()).toBe(true);
    });
  });
});
