import { gradcheck, gradients, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { entropyBonus, tokenEntropy } from './entropy.ts';

const wide = { dtype: 'float64' } as const;

describe('tokenEntropy', () => {
  it('is log V for a flat distribution and has a gradient that matches finite differences', () => {
    tidy(() => {
      expect(tokenEntropy(tensor([[3, 3, 3, 3]], wide)).item()).toBeCloseTo(Math.log(4), 14);
      gradcheck(tokenEntropy, [
        tensor(
          [
            [0.3, -1, 2],
            [5, 0, 0],
          ],
          wide,
        ).setRequiresGrad(),
      ]);
    });
  });

  it('a masked token contributes nothing, also to the gradient', () => {
    tidy(() => {
      const logits = tensor([[0.5, Number.NEGATIVE_INFINITY, -1]], wide).setRequiresGrad();
      const two = tensor([[0.5, -1]], wide).setRequiresGrad();
      const found = tokenEntropy(logits);
      expect(found.item()).toBeCloseTo(tokenEntropy(two).item(), 14);
      const slope = gradients(found, [logits])[0]!.toArray();
      const expected = gradients(tokenEntropy(two), [two])[0]!.toArray();
      expect(slope[1]).toBe(0);
      expect(slope[0]).toBeCloseTo(expected[0]!, 14);
    });
  });

  it('is finite for logits of 1e3', () => {
    tidy(() => {
      const logits = tensor([[1e3, -1e3, 0]]).setRequiresGrad();
      const found = tokenEntropy(logits);
      expect(found.item()).toBeCloseTo(0, 30);
      expect(gradients(found, [logits])[0]!.isFinite()).toBe(true);
    });
  });

  it('the bonus lowers the loss if the entropy is high', () => {
    tidy(() => {
      expect(entropyBonus(tensor([2, 0.5], wide), 0.1).toArray()).toEqual([-0.2, -0.05]);
    });
  });

  it('-log p of the sample has no gradient in expectation, so it is no bonus', () => {
    tidy(() => {
      const logits = tensor([0.3, -1, 2], wide).setRequiresGrad();
      const policy = logits.logSoftmax(0);
      const surprise = policy.neg().mul(policy.detach().exp()).sum();
      for (const one of gradients(surprise, [logits])[0]!.toArray()) {
        expect(Math.abs(one)).toBeLessThan(1e-15);
      }
    });
  });
});
