import { gradcheck, gradients, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { clippedSurrogate } from './clipped-surrogate.ts';

const wide = { dtype: 'float64' } as const;
const clip = { low: 0.2, high: 0.2 };
const ratios = [0.5, 0.9, 1.1, 1.5, 0.5, 0.9, 1.1, 1.5, 6];
const gains = [1, 1, 1, 1, -1, -1, -1, -1, -1];

describe('clippedSurrogate', () => {
  it('is -min(r A, clip(r) A), and reports which tokens lost their gradient', () => {
    tidy(() => {
      const ratio = tensor(ratios, wide).setRequiresGrad();
      const { loss, clipped } = clippedSurrogate(ratio, tensor(gains, wide), clip);
      expect(loss.toArray()).toEqual([-0.5, -0.9, -1.1, -1.2, 0.8, 0.9, 1.1, 1.5, 6]);
      expect(clipped.toArray()).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 0]);
      const [slope] = gradients(loss, [ratio]);
      expect(slope!.toArray()).toEqual([-1, -1, -1, 0, 0, 1, 1, 1, 1]);
    });
  });

  it('the dual clip bounds the cost of a negative advantage (Ye et al., eq. 5)', () => {
    tidy(() => {
      const ratio = tensor(ratios, wide).setRequiresGrad();
      const { loss, clipped } = clippedSurrogate(ratio, tensor(gains, wide), { ...clip, dual: 3 });
      expect(loss.toArray()).toEqual([-0.5, -0.9, -1.1, -1.2, 0.8, 0.9, 1.1, 1.5, 3]);
      expect(clipped.toArray().at(-1)).toBe(1);
      expect(gradients(loss, [ratio])[0]!.toArray().at(-1)).toBe(0);
    });
  });

  it("is TRL's two-sided clip: min(r, delta) A", () => {
    tidy(() => {
      const [ratio, gain] = [tensor(ratios, wide), tensor(gains, wide)];
      const { loss } = clippedSurrogate(ratio, gain, { ...clip, dual: 3 });
      const theirs = ratios.map((one, at) => {
        const held = Math.min(Math.max(one, 0.8), 1.2);
        return -Math.min(Math.min(one, 3) * gains[at]!, held * gains[at]!);
      });
      expect(loss.toArray()).toEqual(theirs);
    });
  });

  it.each([null, 3])('with dual clip %s has a gradient that matches finite differences', (dual) => {
    tidy(() => {
      const gain = tensor(gains, wide);
      gradcheck(
        (input) => clippedSurrogate(input, gain, { low: 0.2, high: 0.28, dual }).loss,
        [tensor(ratios, wide).setRequiresGrad()],
      );
    });
  });

  it('a ratio of 1 gives the whole gradient, not half of it as in a tie', () => {
    tidy(() => {
      const ratio = tensor([1, 1], wide).setRequiresGrad();
      const { loss } = clippedSurrogate(ratio, tensor([2, -3], wide), clip);
      expect(gradients(loss, [ratio])[0]!.toArray()).toEqual([-2, 3]);
    });
  });

  it('an advantage of 0 gives no gradient at any ratio, and no NaN', () => {
    tidy(() => {
      const ratio = tensor([0, 1, 1e30]).setRequiresGrad();
      const { loss } = clippedSurrogate(ratio, tensor([0, 0, 0]), { ...clip, dual: 3 });
      expect(gradients(loss, [ratio])[0]!.toArray().map(Math.abs)).toEqual([0, 0, 0]);
    });
  });

  it('no gradient reaches the advantages', () => {
    tidy(() => {
      const gain = tensor([1, -1], wide).setRequiresGrad();
      const ratio = tensor([1, 1.1], wide).setRequiresGrad();
      expect(gradients(clippedSurrogate(ratio, gain, clip).loss, [gain])[0]).toBeNull();
    });
  });

  it('rejects invalid ranges', () => {
    tidy(() => {
      const one = tensor([1]);
      expect(() => clippedSurrogate(one, one, { low: -0.1, high: 0.2 })).toThrow(/lower clip/);
      expect(() => clippedSurrogate(one, one, { low: 0.2, high: -1 })).toThrow(/upper clip/);
      expect(() => clippedSurrogate(one, one, { ...clip, dual: 1.1 })).toThrow(/above 1 \+ 0.2/);
    });
  });
});
