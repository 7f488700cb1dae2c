import { pearson } from '@keel/statistics';
import { gradcheck, gradients, type Tensor, tensor, tidy } from '@keel/torch';
import { describe, expect, it } from 'vitest';
import { headOverlap, lengthCorrelationLoss } from './length-heads.ts';

const of = (values: number[] | number[][]): Tensor => tensor(values, { dtype: 'float64' });
const value = (make: () => Tensor): number => tidy(() => make().item());

describe('the correlation of heads and length', () => {
  const lengths = [3, 8, 5, 20, 1];
  const quality = [0.2, -1, 0.4, -2.5, 1];
  const length = [0.1, 0.4, 0.6, 1.5, -0.3];
  const scores = quality.map((one, at) => [one, length[at]!]);

  it("is |r| of quality minus r of length, by Pearson's formula", () => {
    const [q, l] = [quality, length].map((own) => pearson(lengths, own)!.value);
    const found = value(() => lengthCorrelationLoss(of(scores), of(lengths)));
    expect(q).toBeLessThan(0);
    expect(found).toBeCloseTo(Math.abs(q!) - l!, 10);
  });

  it('is -1 where length is in its own head alone, and 1 where it is in quality and against it', () => {
    const even = [1, -1, -1, 1];
    const own = [1, 2, 3, 4];
    const at = (rows: number[][]): number => value(() => lengthCorrelationLoss(of(rows), of(own)));
    expect(at(even.map((one, i) => [one, 5 * own[i]! - 2]))).toBeCloseTo(-1, 10);
    expect(at(own.map((one, i) => [-2 * one, even[i]!]))).toBeCloseTo(1, 10);
    expect(at(own.map((one) => [3 * one, -one]))).toBeCloseTo(2, 10);
  });

  it('does not depend on the scale or the level of scores', () => {
    const moved = scores.map(([q, l]) => [100 * q! + 7, 0.01 * l! - 3]);
    const [one, other] = [scores, moved].map((rows) =>
      value(() => lengthCorrelationLoss(of(rows), of(lengths))),
    );
    expect(other).toBeCloseTo(one!, 6);
  });

  it('is 0 without a slope where all answers have the same length', () => {
    tidy(() => {
      const leaf = of(scores).setRequiresGrad();
      const loss = lengthCorrelationLoss(leaf, of([4, 4, 4, 4, 4]));
      expect(loss.item()).toBe(0);
      expect(gradients(loss, [leaf])[0]!.reshape(-1).toArray()).toEqual(Array(10).fill(0));
    });
  });

  it('has the gradient of finite differences', () => {
    tidy(() =>
      gradcheck((x) => lengthCorrelationLoss(x!, of(lengths)), [of(scores).setRequiresGrad()]),
    );
  });

  it('rejects scores of one head', () => {
    tidy(() => {
      expect(() => lengthCorrelationLoss(of([[1], [2]]), of([1, 2]))).toThrow('[2,1]');
    });
  });
});

describe('the overlap of heads', () => {
  it('is |cos| of their angle, whatever their norms', () => {
    const overlap = (rows: number[][]): number => value(() => headOverlap(of(rows)));
    expect(
      overlap([
        [2, 0],
        [0, 9],
      ]),
    ).toBe(0);
    expect(
      overlap([
        [1, 0],
        [-3, 0],
      ]),
    ).toBeCloseTo(1, 10);
    expect(
      overlap([
        [1, 0],
        [5, 5 * Math.sqrt(3)],
      ]),
    ).toBeCloseTo(0.5, 10);
  });

  it('has the gradient of finite differences', () => {
    const rows = [
      [0.4, -1, 2],
      [1, 0.3, 0.2],
    ];
    tidy(() => gradcheck((w) => headOverlap(w!), [of(rows).setRequiresGrad()]));
  });
});
