import { expect, test } from 'vitest';
import type { ScoredPair } from './length-buckets.ts';
import { rewardFindings } from './reward-findings.ts';

/** 200 pairs whose reward is length plus some signal of the truth. */
const pairs = Array.from({ length: 200 }, (_, index): ScoredPair => {
  const longer = ((index * 37) % 101) - 50;
  const rejected = { score: ((index * 13) % 17) / 8, length: 80 + (index % 40) };
  return {
    rejected,
    chosen: { score: rejected.score + 0.05 * longer + 0.5, length: rejected.length + longer },
  };
});

test('collects the measures as plain JSON', () => {
  const findings = rewardFindings(pairs, { lengthUnit: 'words' });
  expect(JSON.parse(JSON.stringify(findings))).toEqual(findings);
  expect(findings).toMatchObject({ pairs: 200, lengthUnit: 'words' });
  expect(findings.accuracy.value).toBeGreaterThan(findings.longerWins.value);
  expect(findings.lead.value).toBeCloseTo(findings.accuracy.value - findings.longerWins.value, 12);
  expect(findings.lead.interval[0]).toBeGreaterThan(0);
  expect(findings.lead.p).toBeLessThan(0.05);
  expect(findings.lengthCorrelation.pearson!.value).toBeGreaterThan(0.5);
  const { reward, labels, lead } = findings.longerAnswers!;
  expect(reward.value).toBeGreaterThan(0.8);
  expect(labels.count).toBe(
    pairs.filter((one) => one.chosen.length !== one.rejected.length).length,
  );
  expect(lead.value).toBeCloseTo(reward.value - labels.value, 12);
  expect(lead.interval[0]).toBeGreaterThan(0);
  expect(findings.calibration.pairs).toBe(200);
  const counted = findings.lengthBuckets.reduce((sum, { all }) => sum + all.count, 0);
  expect(counted).toBe(200);
});

test('equal scores and lengths have no correlation, but are not an error', () => {
  const same: ScoredPair = {
    chosen: { score: 1, length: 3 },
    rejected: { score: 1, length: 3 },
  };
  const findings = rewardFindings([same, same]);
  expect(findings.lengthCorrelation).toEqual({ pearson: null, spearman: null });
  expect(findings.longerAnswers).toBeNull();
  expect(findings.accuracy.value).toBe(0.5);
  expect(findings.lead).toEqual({ value: 0, interval: [0, 0], p: 1 });
});

test('rejects an empty list', () => {
  expect(() => rewardFindings([])).toThrow('at least one pair');
});

test('with uncertain labels, rules are right if they pick the more probable answer', () => {
  const pair = (gap: number, longer: number, probability?: number): ScoredPair => ({
    chosen: { score: gap, length: 10 + longer },
    rejected: { score: 0, length: 10 },
    ...(probability !== undefined && { probability }),
  });
  const { accuracy, longerWins, calibration } = rewardFindings([
    pair(2, 5, 0.9),
    pair(2, 5, 0.2),
    pair(2, 5, 0.5),
    pair(-1, -5),
  ]);
  // Right, wrong, half right whatever the scores are, and wrong.
  expect(accuracy.value).toBe((1 + 0 + 0.5 + 0) / 4);
  expect(longerWins.value).toBe((1 + 0 + 0.5 + 0) / 4);
  const hits = calibration.bins.reduce(
    (sum, bin) => sum + bin.accuracy.value * bin.accuracy.count,
    0,
  );
  expect(hits).toBeCloseTo(0.9 + 0.2 + 0.5 + 0, 12);
});
