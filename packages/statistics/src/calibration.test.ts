import { describe, expect, test } from 'vitest';
import { calibrationOf, expectedCalibrationError, reliabilityBins } from './calibration.ts';

/** The gap that gives this confidence. */
const logit = (p: number): number => Math.log(p / (1 - p));
/** `right` pairs won and `wrong` lost with this confidence. */
const pairs = (confidence: number, right: number, wrong: number): number[] => [
  ...Array.from({ length: right }, () => logit(confidence)),
  ...Array.from({ length: wrong }, () => -logit(confidence)),
];

describe('by hand', () => {
  // 10 pairs at 0.62, 8 right; 10 at 0.93, 7 right.
  const gaps = [...pairs(0.62, 8, 2), ...pairs(0.93, 7, 3)];

  test('bins of equal width, their points and the error', () => {
    const bins = reliabilityBins(gaps, { bins: 5 });
    expect(bins.map(({ from, to }) => [from, to])).toEqual([
      [0.6, 0.7],
      [0.9, 1],
    ]);
    expect(bins.map(({ confidence }) => confidence)).toEqual([
      expect.closeTo(0.62, 12),
      expect.closeTo(0.93, 12),
    ]);
    expect(bins.map(({ accuracy }) => accuracy.value)).toEqual([0.8, 0.7]);
    // R: prop.test(8, 10, correct = FALSE)
    expect(bins[0]!.accuracy.interval[0]).toBeCloseTo(0.4901625, 7);
    expect(expectedCalibrationError(bins)).toBeCloseTo((0.18 + 0.23) / 2, 12);
    expect(calibrationOf(gaps, { bins: 5, resamples: 200 }).error.value).toBeCloseTo(0.205, 12);
  });

  test('Brier score and log loss', () => {
    const { brier, logLoss } = calibrationOf(gaps, { resamples: 10 });
    const expected = (8 * 0.38 ** 2 + 2 * 0.62 ** 2 + 7 * 0.07 ** 2 + 3 * 0.93 ** 2) / 20;
    expect(brier).toBeCloseTo(expected, 12);
    const loss = -(
      8 * Math.log(0.62) +
      2 * Math.log(0.38) +
      7 * Math.log(0.93) +
      3 * Math.log(0.07)
    );
    expect(logLoss).toBeCloseTo(loss / 20, 12);
  });

  test('equal mass puts the same number in each bin, and keeps equal confidences together', () => {
    const even = Array.from({ length: 12 }, (_, index) => 0.1 * (index + 1));
    const counts = (bins: number, of = even) =>
      reliabilityBins(of, { bins, split: 'mass' }).map(({ accuracy }) => accuracy.count);
    expect(counts(4)).toEqual([3, 3, 3, 3]);
    expect(counts(5, gaps)).toEqual([10, 10]);
    expect(calibrationOf(gaps, { resamples: 10 }).errorEqualMass).toBeCloseTo(0.205, 12);
  });
});

test('a model that is certain and right, and one that does not discriminate', () => {
  const sure = calibrationOf([1e4, 2e4, 3e4], { resamples: 100 });
  expect(sure).toMatchObject({ error: { value: 0, interval: [0, 0] }, brier: 0, logLoss: 0 });
  const silent = calibrationOf([0, 0, 0, 0], { resamples: 100 });
  expect(silent).toMatchObject({ error: { value: 0 }, brier: 0.25 });
  expect(silent.logLoss).toBeCloseTo(Math.LN2, 12);
  const wrong = calibrationOf([-1e4], { resamples: 10 });
  expect(wrong).toMatchObject({ error: { value: 1 }, brier: 1, logLoss: 1e4 });
});

test('the order of answers has no effect: a model that is always right at 0.6 is not calibrated', () => {
  const { error } = calibrationOf(pairs(0.6, 50, 0), { resamples: 10 });
  expect(error.value).toBeCloseTo(0.4, 12);
});

test('counting each pair once gives the same error as counting it in both orders', () => {
  const gaps = [0.3, -0.2, 1.4, 2.2, -2.4, 0.9, 3, -0.1, 0.05, 1.1];
  // The diagram over [0, 1] in 10 bins, with every pair in both orders.
  const sides = gaps.flatMap((gap) => [
    { p: 1 / (1 + Math.exp(-gap)), won: 1 },
    { p: 1 / (1 + Math.exp(gap)), won: 0 },
  ]);
  const surplus = new Array<number>(10).fill(0);
  for (const { p, won } of sides) surplus[Math.floor(p * 10)]! += won - p;
  const both = surplus.reduce((sum, value) => sum + Math.abs(value), 0) / sides.length;
  expect(calibrationOf(gaps, { bins: 5, resamples: 10 }).error.value).toBeCloseTo(both, 12);
});

test('few pairs of a calibrated model have an error by chance, many have almost none', () => {
  const few = calibrationOf([...pairs(0.7, 14, 6), ...pairs(0.9, 18, 2)], { resamples: 500 });
  expect(few.error.value).toBeCloseTo(0, 12);
  expect(few.errorByChance.value).toBeGreaterThan(0.04);
  expect(few.errorByChance.high).toBeGreaterThan(few.errorByChance.value);
  const many = calibrationOf([...pairs(0.7, 1400, 600), ...pairs(0.9, 1800, 200)], {
    resamples: 200,
  });
  expect(many.errorByChance.value).toBeLessThan(few.errorByChance.value / 5);
  const [low, high] = few.error.interval;
  expect(low).toBeLessThan(high);
  expect(calibrationOf(pairs(0.7, 14, 6), { resamples: 50 })).toEqual(
    calibrationOf(pairs(0.7, 14, 6), { resamples: 50 }),
  );
});

test('rejects what cannot be measured', () => {
  expect(() => calibrationOf([])).toThrow('at least one pair');
  expect(() => calibrationOf([Number.POSITIVE_INFINITY])).toThrow('Infinity');
  expect(() => calibrationOf([1], { bins: 0 })).toThrow(/bins.* 0$/);
});

test('labels with a probability count as their expectation', () => {
  const [gap, p] = [Math.log(4), 0.75];
  // Confidence 0.8; the model prefers chosen, then rejected.
  const found = calibrationOf([gap, -gap], { probabilities: [p, 1 - p], resamples: 10 });
  expect(found.bins).toHaveLength(1);
  expect(found.bins[0]!.accuracy.value).toBeCloseTo(p, 12);
  expect(found.error.value).toBeCloseTo(0.8 - p, 12);
  expect(found.brier).toBeCloseTo(p * 0.2 ** 2 + (1 - p) * 0.8 ** 2, 12);
  expect(found.logLoss).toBeCloseTo(-p * Math.log(0.8) - (1 - p) * Math.log(0.2), 12);
  // Calibrated: the confidence is the probability.
  const exact = calibrationOf([Math.log(3)], { probabilities: [p], resamples: 10 });
  expect(exact.error.value).toBeCloseTo(0, 12);
  expect(exact.logLoss).toBeCloseTo(-p * Math.log(p) - (1 - p) * Math.log(1 - p), 12);
});

test('probabilities of 1 change nothing, bit for bit', () => {
  const gaps = pairs(0.7, 14, 6);
  const probabilities = gaps.map(() => 1);
  expect(calibrationOf(gaps, { probabilities, resamples: 50 })).toEqual(
    calibrationOf(gaps, { resamples: 50 }),
  );
  expect(() => calibrationOf(gaps, { probabilities: [1] })).toThrow(RangeError);
});
