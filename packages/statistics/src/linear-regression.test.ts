import { describe, expect, test } from 'vitest';
import { pairedEffect } from './effect-size.ts';
import { explainChange } from './explained-change.ts';
import { fitLinear } from './linear-regression.ts';
import { resamplingRandom } from './resampling-random.ts';

const x1 = [1, 2, 3, 4, 5, 6, 7, 8];
const x2 = [2, 1, 4, 3, 7, 5, 8, 9];
const y = [3.1, 2.9, 6.2, 5.8, 10.5, 8.1, 11.9, 14.2];

/** Nearly normal noise with deviation 1. */
function noise(count: number, seed: number): number[] {
  const random = resamplingRandom(seed);
  return Array.from({ length: count }, () => {
    let sum = -6;
    for (let draw = 0; draw < 12; draw++) sum += random();
    return sum;
  });
}

describe('fitLinear', () => {
  test('coefficients, HC3 errors and R2 as by their formulas in NumPy', () => {
    const fit = fitLinear([x1, x2], y)!;
    const [first, second] = fit.coefficients;
    expect(fit.intercept).toBeCloseTo(0.7071428571428897, 12);
    expect(first!.value).toBeCloseTo(0.3928571428571428, 12);
    expect(second!.value).toBeCloseTo(1.099999999999996, 12);
    expect(first!.error).toBeCloseTo(0.19575320109981625, 12);
    expect(second!.error).toBeCloseTo(0.1596675950128097, 12);
    expect(fit.r2).toBeCloseTo(0.9936089547396968, 12);
    expect(first!.standardised).toBeCloseTo(0.23457890678368518, 12);
    expect(second!.standardised).toBeCloseTo(0.7776564961157563, 12);
    // Student's quantile with five degrees of freedom.
    expect(second!.interval[1]).toBeCloseTo(1.1 + 2.570581835636314 * 0.1596675950128097, 10);
  });

  test('units move values and leave the standardised ones', () => {
    const fit = fitLinear([x1, x2], y)!;
    const other = fitLinear([x1.map((value) => 1000 * value + 7), x2], y)!;
    expect(other.coefficients[0]!.value).toBeCloseTo(fit.coefficients[0]!.value / 1000, 12);
    for (const key of ['standardised', 'p'] as const)
      expect(other.coefficients[0]![key]).toBeCloseTo(fit.coefficients[0]![key], 10);
  });

  test('null where there is no answer', () => {
    expect(fitLinear([x1, x1.map((value) => 3 - 2 * value)], y)).toBeNull();
    expect(fitLinear([x1.map(() => 4)], y)).toBeNull();
    expect(
      fitLinear(
        [x1],
        y.map(() => 0.1 + 0.2),
      ),
    ).toBeNull();
    expect(fitLinear([[1, 2]], [1, 2])).toBeNull();
    // The last row decides alone.
    expect(fitLinear([[0, 0, 0, 0, 1]], [1, 2, 3, 4, 9])).toBeNull();
    expect(() => fitLinear([[1]], y)).toThrow(RangeError);
    expect(() => fitLinear([x1], y.with(2, Number.NaN))).toThrow(RangeError);
  });

  test('about 95% of the intervals have the truth, with noise that grows with x', () => {
    let inside = 0;
    for (let trial = 0; trial < 400; trial++) {
      const [x, e] = [noise(40, 2 * trial + 1), noise(40, 2 * trial + 2)];
      const [slope] = fitLinear(
        [x],
        x.map((value, at) => 0.5 * value + Math.abs(value) * e[at]!),
      )!.coefficients;
      if (slope!.interval[0] <= 0.5 && 0.5 <= slope!.interval[1]) inside += 1;
    }
    expect(inside / 400).toBeGreaterThan(0.91);
    expect(inside / 400).toBeLessThan(0.98);
  });
});

describe('explainChange', () => {
  const length = noise(80, 1).map((value) => value + 2);
  const lists = noise(80, 2).map((value) => value + 1);
  const other = noise(80, 3);
  const changes = length.map((value, at) => 3 * value + 0.5 + 0.2 * noise(80, 4)[at]!);

  test('the parts and what is alike add up to the change', () => {
    const found = explainChange([lists, length, other], changes)!;
    expect(found.parts.map(({ quantity }) => quantity)).toEqual([1]);
    const [part] = found.parts;
    expect(part!.part + found.alike).toBeCloseTo(found.change, 12);
    expect(part!.coefficient.value).toBeCloseTo(3, 1);
    expect(found.alike).toBeCloseTo(0.5, 1);
    expect(part!.interval[0]).toBeLessThan(part!.part);
    expect(part!.interval[1]).toBeGreaterThan(part!.part);
    expect(found.alikeInterval[0]).toBeGreaterThan(0);
  });

  test('exact: a change that is one quantity is explained by it whole', () => {
    const found = explainChange(
      [other, length],
      length.map((value) => 2 * value),
    )!;
    expect(found.parts).toHaveLength(1);
    expect(found.parts[0]).toMatchObject({ quantity: 1 });
    expect(found.parts[0]!.coefficient.value).toBeCloseTo(2, 12);
    expect(found.alike).toBeCloseTo(0, 12);
    expect(found.r2).toBeCloseTo(1, 12);
  });

  test('of quantities that are the same, one is taken', () => {
    const found = explainChange([length, length, lists], changes)!;
    expect(found.parts).toHaveLength(1);
  });

  test('what changed in fewer items than it needs, or in all alike, explains nothing', () => {
    const rare = changes.map((_, at) => (at < 3 ? 100 : 0));
    const found = explainChange([rare, changes.map(() => 1)], changes)!;
    expect(found.parts).toEqual([]);
    expect(found.alike).toBe(found.change);
  });

  test('noise explains noise in at most 5% of the cases', () => {
    let some = 0;
    for (let trial = 0; trial < 200; trial++) {
      const columns = [1, 2, 3, 4, 5].map((one) => noise(40, 1000 * one + trial));
      some += explainChange(columns, noise(40, 9000 + trial), { resamples: 1 })!.parts.length;
    }
    expect(some / 200).toBeLessThanOrEqual(0.08);
  });
});

describe('pairedEffect', () => {
  test('closed form', () => {
    const found = pairedEffect([1, 2, 3], [2, 4, 6]);
    expect(found).toMatchObject({ count: 3, before: 2, after: 4, difference: 2 });
    expect(found.size).toBeCloseTo(2 / Math.sqrt((1 + 4) / 2), 14);
    // Student with two degrees of freedom; the differences have the deviation 1.
    expect(found.interval![0]).toBeCloseTo(2 - 4.302652729749464 / Math.sqrt(3), 10);
    expect(found.sizeInterval![0]).toBeLessThan(found.size!);
  });

  test('a change without variation has no size, and no change has the size 0', () => {
    expect(pairedEffect([0, 0, 0], [1, 1, 1])).toMatchObject({
      ...{ difference: 1, interval: [1, 1], size: null, sizeInterval: null },
    });
    expect(pairedEffect([1, 2], [1, 2])).toMatchObject({ size: 0, interval: [0, 0] });
    // A third of the draws lack the only item that changed.
    expect(pairedEffect([0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0]).sizeInterval![0]).toBe(0);
    expect(pairedEffect([1], [2])).toMatchObject({ interval: null, sizeInterval: null });
    expect(() => pairedEffect([], [])).toThrow(RangeError);
    expect(() => pairedEffect([1], [1, 2])).toThrow(RangeError);
  });
});
