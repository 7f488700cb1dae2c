import { gradcheck, gradients, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { explainedVariance, valueLoss } from './value-loss.ts';

const wide = { dtype: 'float64' } as const;

describe('valueLoss', () => {
  const columns = () => ({
    values: tensor([0.85, 0.45, -0.6, 3], wide).setRequiresGrad(),
    returns: tensor([0.7, 1.6, 1.5, 0], wide),
    old: tensor([0.3, 0, -0.65, 1], wide),
  });

  it('is half the larger of the unclipped and the clipped square', () => {
    tidy(() => {
      const found = valueLoss(columns(), 0.2).toArray();
      const expected = [0.2 ** 2, 1.4 ** 2, 2.1 ** 2, 9].map((one) => one / 2);
      found.forEach((one, at) => {
        expect(Math.abs(one - expected[at]!)).toBeLessThan(1e-14);
      });
      expect(valueLoss(columns(), null).toArray()[1]).toBeCloseTo(1.15 ** 2 / 2, 14);
    });
  });

  it.each([0.2, null])('with range %s has a gradient that matches finite differences', (range) => {
    tidy(() => {
      const { values, returns, old } = columns();
      gradcheck((input) => valueLoss({ values: input, returns, old }, range), [values]);
      const [slope] = gradients(valueLoss({ values, returns, old }, null), [values]);
      expect(slope!.toArray()).toEqual(values.sub(returns).toArray());
    });
  });

  it('rejects a range of 0', () => {
    tidy(() => {
      const columnsNow = columns();
      expect(() => valueLoss(columnsNow, 0)).toThrow(/above 0, got 0/);
    });
  });
});

describe('explainedVariance', () => {
  it('is 1 for a perfect critic, 0 for a constant one, below 0 for a worse one', () => {
    expect(explainedVariance([1, 2, 3], [1, 2, 3])).toBe(1);
    expect(explainedVariance([5, 5, 5], [1, 2, 3])).toBe(0);
    expect(explainedVariance([3, 2, 1], [1, 2, 3])).toBe(-3);
  });
  it('is null, not NaN, if nothing varies', () => {
    expect(explainedVariance([1, 2], [4, 4])).toBeNull();
    expect(explainedVariance([1], [4])).toBeNull();
  });
});
