import { gradcheck, gradients, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { boundedExp } from './bounded-exp.ts';

const wide = { dtype: 'float64' } as const;

describe('boundedExp', () => {
  it('is exp up to 20 and its tangent beyond', () => {
    tidy(() => {
      const found = boundedExp(tensor([-1000, -1, 0, 19.9, 20, 22], wide)).toArray();
      const expected = [0, Math.exp(-1), 1, Math.exp(19.9), Math.exp(20), 3 * Math.exp(20)];
      found.forEach((one, at) => {
        expect(Math.abs(one / (expected[at] || 1) - (expected[at] ? 1 : 0))).toBeLessThan(1e-15);
      });
      gradcheck(
        (input) => boundedExp(input).mul(1e-8),
        [tensor([-3, 0.5, 19, 21, 25], wide).setRequiresGrad()],
      );
    });
  });

  it('stays finite in float32 for log-ratios of 1e3, gradient included (radixark/miles#1363)', () => {
    tidy(() => {
      const input = tensor([1e3, -1e3]).setRequiresGrad();
      const output = boundedExp(input);
      expect(output.isFinite()).toBe(true);
      const [slope] = gradients(output, [input]);
      expect(slope!.toArray()[0]).toBeGreaterThan(4e8);
      expect(slope!.isFinite()).toBe(true);
    });
  });

  it('leaves NaN visible', () => {
    expect(tidy(() => boundedExp(tensor([Number.NaN])).item())).toBeNaN();
  });
});
