import { describe, expect, test } from 'vitest';
import { pearson, ranksOf, spearman } from './correlation.ts';

const x = [1, 2, 3, 4, 5, 6, 7, 8];
const y = [2, 1, 4, 3, 7, 5, 8, 6];

describe('Pearson', () => {
  test('by hand, with the interval of atanh r ± 1.96 / sqrt(n - 3)', () => {
    // Both are 1 to 8 in some order: r = 1 - 6 * sum of squared differences / (n^3 - n).
    const squares = x.reduce((sum, value, index) => sum + (value - y[index]!) ** 2, 0);
    const r = 1 - (6 * squares) / (512 - 8);
    const found = pearson(x, y)!;
    expect(found.value).toBeCloseTo(r, 12);
    expect(found.interval![0]).toBeCloseTo(Math.tanh(Math.atanh(r) - 1.959964 / Math.sqrt(5)), 6);
    expect(found.interval![1]).toBeCloseTo(Math.tanh(Math.atanh(r) + 1.959964 / Math.sqrt(5)), 6);
  });

  test('is 1 for a rising line and -1 for a falling one, for any offset', () => {
    const line = x.map((value) => 1e6 + 3 * value);
    expect(pearson(x, line)).toEqual({
      value: expect.closeTo(1, 12),
      count: 8,
      interval: expect.anything(),
    });
    expect(
      pearson(
        x,
        line.map((value) => -value),
      )!.value,
    ).toBeCloseTo(-1, 12);
    expect(pearson([1, 2], [1, 2])).toEqual({
      value: expect.closeTo(1, 12),
      count: 2,
      interval: null,
    });
  });

  test('is undefined for a constant', () => {
    expect(
      pearson(
        x,
        x.map(() => 0.1),
      ),
    ).toBeNull();
    expect(pearson([1], [1])).toBeNull();
  });
});

describe('Spearman', () => {
  test('tied values share their mean rank', () => {
    expect(ranksOf([30, 10, 20, 10, 30, 30])).toEqual([5, 1.5, 3, 1.5, 5, 5]);
  });

  test('depends only on order', () => {
    expect(
      spearman(
        x,
        x.map((value) => Math.exp(3 * value)),
      )!.value,
    ).toBeCloseTo(1, 12);
    expect(spearman(x, y)!.value).toBeCloseTo(pearson(x, y)!.value, 12);
  });

  test('with ties, equals Pearson of the ranks (1, 2.5, 2.5, 4) and (2, 1, 3, 4)', () => {
    // Covariance 1.5 * 0.5 + 0 + 0 + 1.5 * 1.5 = 3; squares 4.5 and 5.
    expect(spearman([1, 5, 5, 9], [2, 1, 3, 4])!.value).toBeCloseTo(3 / Math.sqrt(4.5 * 5), 12);
  });

  test("its interval is wider than Pearson's", () => {
    const [line, rank] = [pearson(x, y)!.interval!, spearman(x, y)!.interval!];
    expect(rank[0]).toBeLessThan(line[0]);
    expect(rank[1]).toBeGreaterThan(line[1]);
  });
});

test('rejects invalid points', () => {
  expect(() => pearson([1], [1, 2])).toThrow('1 and 2 values');
  expect(() => spearman([1, Number.NaN], [1, 2])).toThrow('NaN');
});
