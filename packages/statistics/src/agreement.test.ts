import { describe, expect, it } from 'vitest';
import {
  type AgreementInterval,
  cohenKappa,
  fleissKappa,
  gwetAc1,
  type KappaWeights,
  krippendorffAlpha,
  type MeasurementLevel,
  type RatingTable,
} from './agreement.ts';
import { resamplingRandom } from './resampling-random.ts';
import { golden } from './testing/golden.ts';

interface Case {
  units: number;
  ratings: (number | null)[][];
  alpha: Record<MeasurementLevel, number>;
  gwet_ac1: number;
  irr_fleiss: number;
  cohen?: number;
  cohen_linear?: number;
  cohen_quadratic?: number;
}

const quick = { resamples: 50 };
const { cases } = golden<{ cases: Case[] }>('agreement');

describe.each(
  cases.map((one) => [`${one.ratings.length} raters`, one] as const),
)('%s', (_, one) => {
  it.each(['nominal', 'ordinal', 'interval', 'ratio'] as const)('Krippendorff, %s', (level) => {
    // The golden file's ratios are of values from 1.
    const shift = level === 'ratio' ? 1 : 0;
    const ratings = one.ratings.map((row) =>
      row.map((value) => (value === null ? null : value + shift)),
    );
    const { value, interval } = krippendorffAlpha(ratings, level, quick);
    expect(value).toBeCloseTo(one.alpha[level], 9);
    expect(interval![0]).toBeLessThan(value!);
    expect(interval![1]).toBeGreaterThan(value!);
  });

  it('Fleiss and Gwet', () => {
    expect(fleissKappa(one.ratings, quick).value).toBeCloseTo(one.irr_fleiss, 5);
    expect(gwetAc1(one.ratings, quick).value).toBeCloseTo(one.gwet_ac1, 5);
  });
});

it('Cohen, of two raters', () => {
  const { ratings, cohen, cohen_linear, cohen_quadratic } = cases[0]!;
  const kappa = (weights: KappaWeights) =>
    cohenKappa(ratings[0]!, ratings[1]!, { weights, ...quick }).value;
  expect(kappa('none')).toBeCloseTo(cohen!, 9);
  expect(kappa('linear')).toBeCloseTo(cohen_linear!, 9);
  expect(kappa('quadratic')).toBeCloseTo(cohen_quadratic!, 9);
});

it('has nearly the same interval by the jackknife as by the bootstrap', () => {
  // 600 units of three raters, who agree with a hidden truth four times in five.
  const random = resamplingRandom(1);
  const truth = Array.from({ length: 600 }, () => Math.floor(3 * random()));
  const ratings = [0, 1, 2].map(() =>
    truth.map((one) => (random() < 0.8 ? one : Math.floor(3 * random()))),
  );
  const [first, second] = ratings as [number[], number[]];
  for (const of of [
    (interval: AgreementInterval) => cohenKappa(first, second, { interval }),
    (interval: AgreementInterval) => fleissKappa(ratings, { interval }),
    (interval: AgreementInterval) => gwetAc1(ratings, { interval }),
    (interval: AgreementInterval) => krippendorffAlpha(ratings, 'nominal', { interval }),
  ]) {
    const [drawn, left] = [of('bootstrap'), of('jackknife')];
    expect(left.value).toBe(drawn.value);
    for (const end of [0, 1])
      expect(Math.abs(left.interval![end]! - drawn.interval![end]!)).toBeLessThan(0.006);
  }
});

it('is the same for units with counts as for as many units', () => {
  const table = [
    [0, 1, 2, 0],
    [0, 1, 1, null],
    [0, null, 2, 1],
  ];
  const counts = [3, 2, 4, 1];
  const repeated = table.map((row) => row.flatMap((one, at) => new Array(counts[at]!).fill(one)));
  for (const of of [fleissKappa, gwetAc1] as const)
    expect(of(table, { counts, ...quick })).toEqual(of(repeated, quick));
  expect(krippendorffAlpha(table, 'nominal', { counts, ...quick })).toEqual(
    krippendorffAlpha(repeated, 'nominal', quick),
  );
  expect(cohenKappa(table[0]!, table[1]!, { counts, ...quick })).toEqual(
    cohenKappa(repeated[0]!, repeated[1]!, quick),
  );
  expect(() => fleissKappa(table, { counts: [1] })).toThrow(/4 units have 1 counts/);
});

describe('agreement', () => {
  const all = (ratings: RatingTable) => [
    cohenKappa(ratings[0]!, ratings[1]!, quick),
    fleissKappa(ratings, quick),
    gwetAc1(ratings, quick),
    krippendorffAlpha(ratings, 'nominal', quick),
  ];

  it('is 1 where all agree', () => {
    const row = [0, 1, 2, 1, 0, 2];
    for (const { value, interval, units } of all([row, row])) {
      expect(value).toBeCloseTo(1, 12);
      expect(interval).toEqual([1, 1]);
      expect(units).toBe(6);
    }
  });

  it('is undefined where all ratings are the same, and never NaN', () => {
    const row = [1, 1, 1];
    for (const { value, interval } of all([row, row])) {
      expect(value).toBeNull();
      expect(interval).toBeNull();
    }
  });

  it('is undefined where nothing was rated twice', () => {
    for (const { value, units } of all([
      [0, null, 1],
      [null, 1, null],
    ])) {
      expect(value).toBeNull();
      expect(units).toBe(0);
    }
  });

  it('does not depend on the names of categories', () => {
    const one = cases[1]!;
    const renamed = one.ratings.map((row) =>
      row.map((value) => (value === null ? null : 7 - 3 * value)),
    );
    expect(fleissKappa(renamed, quick).value).toBeCloseTo(
      fleissKappa(one.ratings, quick).value!,
      12,
    );
  });

  it('counts categories that nobody used, for Gwet and for weights', () => {
    const [a, b] = [
      [0, 0, 1, 1, 0],
      [0, 1, 1, 1, 0],
    ];
    const given = gwetAc1([a, b], { categories: [0, 1, 2], ...quick }).value!;
    expect(given).toBeGreaterThan(gwetAc1([a, b], quick).value!);
  });

  it.each([
    ['lists of different lengths', () => fleissKappa([[0, 1], [0]]), /2.*1/],
    ['a category that is not listed', () => gwetAc1([[0, 3]], { categories: [0, 1] }), /3.*0, 1/],
    ['a rating that is no number', () => cohenKappa([Number.NaN], [1]), /NaN/],
    [
      'ratios below 0',
      () =>
        krippendorffAlpha(
          [
            [-1, 1],
            [1, 1],
          ],
          'ratio',
        ),
      /0/,
    ],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(RangeError);
    expect(call).toThrow(message);
  });
});
