import { describe, expect, it } from 'vitest';
import { clusteredDifferenceInterval, clusteredMeanInterval } from './clusters.ts';
import { dawidSkene } from './dawid-skene.ts';
import { bootstrapMeanInterval } from './intervals.ts';
import { lengthControlledWinRate } from './length-controlled.ts';
import { fitLogistic, NoMaximumError } from './logistic-regression.ts';
import {
  bestOfNKl,
  fitOverOptimisation,
  overOptimisationCurve,
  overOptimisationPeak,
} from './over-optimisation.ts';
import { studentCumulative, studentInterval, studentQuantile } from './student.ts';
import { golden } from './testing/golden.ts';

describe('the length-controlled win rate', () => {
  const file = golden<{
    rows: { length_1: number; length_2: number; preference: number }[];
    win_rate: number;
    sd: number;
    constant: number;
    weight: number;
    length_controlled: number;
    standard_errors: [number, number];
  }>('length-controlled');
  const pairs = file.rows.map(({ length_1, length_2, preference }) => ({
    baselineLength: length_1,
    modelLength: length_2,
    preference,
  }));

  it('is the maximum likelihood that statsmodels finds', () => {
    const found = lengthControlledWinRate(pairs);
    expect(found.winRate).toBeCloseTo(file.win_rate, 9);
    expect(found.deviation).toBeCloseTo(file.sd, 9);
    expect(found.constant).toBeCloseTo(file.constant, 9);
    expect(found.weight).toBeCloseTo(file.weight, 9);
    expect(found.lengthControlled).toBeCloseTo(file.length_controlled, 9);
    expect(found.standardErrors[0]).toBeCloseTo(file.standard_errors[0], 9);
    expect(found.standardErrors[1]).toBeCloseTo(file.standard_errors[1], 9);
    expect(found.interval[0]).toBeLessThan(found.lengthControlled);
    expect(found.interval[1]).toBeGreaterThan(found.lengthControlled);
  });

  it('is 50% for a model against itself, and for answers swapped it mirrors', () => {
    const same = pairs.map((pair) => ({
      ...pair,
      modelLength: pair.baselineLength,
      preference: 0.5,
    }));
    expect(lengthControlledWinRate(same).lengthControlled).toBe(0.5);
    const swapped = pairs.map(({ baselineLength, modelLength, preference }) => ({
      baselineLength: modelLength,
      modelLength: baselineLength,
      preference: 1 - preference,
    }));
    expect(lengthControlledWinRate(swapped).lengthControlled).toBeCloseTo(
      1 - file.length_controlled,
      9,
    );
  });

  it('throws where it has no value', () => {
    const won = pairs.map((pair) => ({ ...pair, preference: 1 }));
    expect(() => lengthControlledWinRate(won)).toThrow(NoMaximumError);
    const byLength = pairs.map((pair) => ({
      ...pair,
      preference: Number(pair.modelLength > pair.baselineLength),
    }));
    expect(() => lengthControlledWinRate(byLength)).toThrow(NoMaximumError);
    expect(() => lengthControlledWinRate(pairs.slice(0, 1))).toThrow(RangeError);
  });
});

describe('Dawid and Skene', () => {
  const file = golden<{
    classes: number;
    labels: (number | null)[][];
    prior: number[];
    posterior: number[][];
    log_likelihood: number;
  }>('dawid-skene');

  it('finds the maximum of plain expectation maximisation', () => {
    const found = dawidSkene(file.labels, file.classes);
    expect(found.logLikelihood).toBeCloseTo(file.log_likelihood, 6);
    for (const [j, share] of found.prior.entries()) expect(share).toBeCloseTo(file.prior[j]!, 6);
    for (const [item, row] of found.posterior.entries())
      for (const [j, p] of row.entries()) expect(p).toBeCloseTo(file.posterior[item]![j]!, 5);
  });

  it('trusts the rater who agrees with the others', () => {
    const truth = Array.from({ length: 60 }, (_, item) => item % 2);
    const { confusion } = dawidSkene([truth, truth, truth.map((label) => 1 - label)], 2);
    expect(confusion[0]![0]![0]).toBeCloseTo(1, 6);
    expect(confusion[2]![0]![0]).toBeCloseTo(0, 6);
  });

  it.each([
    [
      'an item without labels',
      [
        [0, null],
        [1, null],
      ],
      /item 1/,
    ],
    ['a class out of range', [[0, 5]], /rater 0, item 1.*5/],
    ['lists of different lengths', [[0, 1], [0]], /rater 1.*2.*1/],
    ['nothing', [], /item/],
  ] as const)('refuses %s', (_, labels, message) => {
    expect(() => dawidSkene(labels, 2)).toThrow(message);
  });
});

describe('the curves of over-optimisation', () => {
  const file = golden<{
    curves: {
      alpha: number;
      beta: number;
      kl: number[];
      best_of_n: number[];
      rl: number[];
      best_of_n_peak: { d: number; reward: number };
      rl_peak: { d: number; reward: number };
    }[];
    best_of_n_kl: Record<string, number>;
  }>('over-optimisation');
  const kinds = [
    ['best-of-n', 'best_of_n'],
    ['rl', 'rl'],
  ] as const;

  it.each(kinds)('%s: values, peaks, and the fit gives alpha and beta back', (curve, key) => {
    for (const one of file.curves) {
      for (const [index, kl] of one.kl.entries())
        expect(overOptimisationCurve(curve, one, kl)).toBeCloseTo(one[key][index]!, 9);
      const { d, reward } = overOptimisationPeak(curve, one)!;
      expect(d / one[`${key}_peak`].d).toBeCloseTo(1, 12);
      expect(reward / one[`${key}_peak`].reward).toBeCloseTo(1, 12);
      const points = one.kl.map((kl, index) => ({ kl, reward: one[key][index]! }));
      const fit = fitOverOptimisation(curve, points);
      expect(fit.alpha).toBeCloseTo(one.alpha, 9);
      expect(fit.beta).toBeCloseTo(one.beta, 9);
      expect(fit.residual).toBeLessThan(1e-9);
    }
  });

  it('the KL of best of n', () => {
    for (const [n, kl] of Object.entries(file.best_of_n_kl))
      expect(bestOfNKl(Number(n))).toBeCloseTo(kl, 12);
    expect(bestOfNKl(1)).toBe(0);
  });

  it('has no peak where the reward rises without limit, and needs two points', () => {
    expect(overOptimisationPeak('rl', { alpha: 1, beta: -0.1 })).toBeNull();
    expect(overOptimisationPeak('best-of-n', { alpha: -1, beta: 0.1 })).toBeNull();
    const point = { kl: 1, reward: 1 };
    expect(() => fitOverOptimisation('rl', [point, point])).toThrow(RangeError);
    expect(() => fitOverOptimisation('rl', [{ kl: -1, reward: 1 }])).toThrow(RangeError);
  });

  it('gives intervals that contain the true values for noisy points', () => {
    const kl = Array.from({ length: 30 }, (_, index) => 0.5 + index);
    const noise = [0.02, -0.03, 0.01];
    const points = kl.map((one, index) => ({
      kl: one,
      reward: overOptimisationCurve('rl', { alpha: 1, beta: 0.3 }, one) + noise[index % 3]!,
    }));
    const { intervals } = fitOverOptimisation('rl', points);
    expect(intervals!.alpha[0]).toBeLessThan(1);
    expect(intervals!.alpha[1]).toBeGreaterThan(1);
    expect(intervals!.beta[0]).toBeLessThan(0.3);
    expect(intervals!.beta[1]).toBeGreaterThan(0.3);
  });
});

describe("Student's distribution", () => {
  it.each([
    // scipy.stats.t.ppf
    [0.975, 1, 12.706204736432095],
    [0.975, 2, 4.302652729911275],
    [0.975, 9, 2.2621571628540993],
    [0.9, 30, 1.3104150253913947],
    [0.025, 4, -2.7764451051977987],
  ])('quantile of %f with %i degrees', (share, degrees, value) => {
    expect(studentQuantile(share, degrees)).toBeCloseTo(value, 8);
    expect(studentCumulative(value, degrees)).toBeCloseTo(share, 10);
  });

  it('gives the interval of a mean', () => {
    const [low, high] = studentInterval([1, 2, 3])!;
    expect(low).toBeCloseTo(2 - 4.302652729911275 / Math.sqrt(3), 8);
    expect(high).toBeCloseTo(2 + 4.302652729911275 / Math.sqrt(3), 8);
    expect(studentInterval([1])).toBeNull();
    expect(() => studentInterval([1, Number.NaN])).toThrow(RangeError);
    expect(() => studentQuantile(1, 3)).toThrow(RangeError);
  });
});

describe('intervals over clusters', () => {
  const values = Array.from({ length: 40 }, (_, index) => Math.sin(index));

  it('are those of single values where each is a cluster', () => {
    const clusters = values.map((_, index) => index);
    expect(clusteredMeanInterval(values, clusters)).toEqual(bootstrapMeanInterval(values));
  });

  it('do not shrink where values are repeated', () => {
    const repeated = values.flatMap((value) => [value, value, value]);
    const clusters = repeated.map((_, index) => `prompt ${Math.floor(index / 3)}`);
    const [low, high] = clusteredMeanInterval(repeated, clusters);
    const [lowest, highest] = bootstrapMeanInterval(values);
    expect(low).toBeCloseTo(lowest, 12);
    expect(high).toBeCloseTo(highest, 12);
  });

  it('pair before and after', () => {
    const after = values.map((value) => value + 0.5);
    const [low, high] = clusteredDifferenceInterval(
      values,
      after,
      values.map((_, index) => index % 10),
    );
    expect(low).toBeCloseTo(0.5, 12);
    expect(high).toBeCloseTo(0.5, 12);
    expect(() => clusteredDifferenceInterval([1], [1, 2], [0])).toThrow(RangeError);
    expect(() => clusteredMeanInterval([1, 2], [0])).toThrow(RangeError);
  });
});

describe('a logistic fit', () => {
  const row = (x: number, label: number, weight = 1) => ({
    features: [[0, 1] as const, [1, x] as const],
    label,
    weight,
  });

  it('has a gradient of 0 at its maximum', () => {
    const rows = [row(-1, 0), row(0, 1), row(0.5, 0), row(2, 1), row(1, 0.3, 2)];
    const { parameters } = fitLogistic(rows, 2);
    const gradient = [0, 0];
    for (const { features, label, weight } of rows) {
      const eta = features.reduce((sum, [index, value]) => sum + value * parameters[index]!, 0);
      const residual = weight * (1 / (1 + Math.exp(-eta)) - label);
      for (const [index, value] of features) gradient[index]! += residual * value;
    }
    for (const one of gradient) expect(Math.abs(one)).toBeLessThan(1e-9);
  });

  it('throws where features separate the labels, and where a feature never varies', () => {
    expect(() => fitLogistic([row(-1, 0), row(1, 1)], 2)).toThrow(NoMaximumError);
    expect(() => fitLogistic([row(1, 0), row(1, 1)], 2)).toThrow(NoMaximumError);
  });

  it('is finite with a penalty', () => {
    const { parameters } = fitLogistic([row(-1, 0), row(1, 1)], 2, { penalties: [0.1, 0.1] });
    expect(parameters[1]).toBeGreaterThan(0);
  });

  it.each([
    [row(1, 1.5), /row 0.*1\.5/],
    [row(Number.NaN, 1), /row 0.*NaN/],
    [row(1, 1, -1), /row 0.*-1/],
  ])('refuses %j', (bad, message) => {
    expect(() => fitLogistic([bad], 2)).toThrow(message);
  });
});
