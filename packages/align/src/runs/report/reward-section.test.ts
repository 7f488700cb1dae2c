import { rewardFindings, type ScoredPair } from '@keel/statistics';
import { describe, expect, test } from 'vitest';
import { rewardSection } from './reward-section.ts';
import { explainAccuracy, explainCalibration, explainLength } from './reward-statements.ts';
import { renderReport } from './write-report.ts';

/** Chosen is longer by `longer` and leads by `gap`. */
const pair = (longer: number, gap: number): ScoredPair => ({
  chosen: { score: gap / 2, length: 100 + longer },
  rejected: { score: -gap / 2, length: 100 },
});
const repeat = (count: number, of: (index: number) => ScoredPair): ScoredPair[] =>
  Array.from({ length: count }, (_, index) => of(index));

/** Half of the chosen answers are longer, and the reward is the length. */
const lengthAlone = rewardFindings(
  repeat(80, (index) => pair(index % 2 ? 10 : -10, index % 2 ? 3 : -3)),
);
/** Always right, by a small gap, whatever the length. */
const truth = rewardFindings(repeat(80, (index) => pair(index % 2 ? 10 : -10, 0.4)));

describe('statements', () => {
  test('a reward that is no better than the rule, and one that is worse', () => {
    expect(explainAccuracy(lengthAlone)).toMatch(
      /80 .* 50% \(95% interval 39\.3% to 60\.7%\)\. .* 50%; .* 0 points \(interval 0 to 0\).* chance\.$/,
    );
    expect(explainAccuracy(truth)).toMatch(/the reward model is better by 50 points/);
    const worse = rewardFindings(repeat(80, () => pair(10, -1)));
    expect(explainAccuracy(worse)).toContain('the reward model is worse by 100 points');
    expect(explainAccuracy(rewardFindings([pair(-10, 1)]))).toMatch(/chance\.$/);
  });

  test('overconfident, underconfident, and neither', () => {
    expect(explainCalibration(lengthAlone.calibration)).toContain('overconfident');
    expect(explainCalibration(truth.calibration)).toContain('underconfident');
    // s(ln 3) = 3/4, and 60 of 80 are right.
    const exact = rewardFindings(
      repeat(80, (index) => pair(1, index % 4 ? Math.log(3) : -Math.log(3))),
    );
    expect(explainCalibration(exact.calibration)).toContain('Expected calibration error 0%');
    expect(explainCalibration(exact.calibration)).toContain('no miscalibration');
  });

  test('length: as in the labels, more, less, and not measurable', () => {
    expect(explainLength(lengthAlone)).toContain('correlate by');
    expect(explainLength(lengthAlone)).toContain(
      'the longer has the higher reward in 100% (interval 95.4% to 100%), and was the chosen one in 50%: the reward favours length more',
    );
    expect(explainLength(truth)).toContain('show no difference');
    const less = rewardFindings(repeat(40, (index) => pair(10, index % 4 ? -1 : 1)));
    expect(explainLength(less)).toContain('favours length less than the labels do');
    expect(explainLength(rewardFindings(repeat(3, () => pair(0, 1))))).toContain(
      'cannot be measured',
    );
  });
});

describe('section', () => {
  test('is in the report before the curves, with a description of its drawing', () => {
    const metrics = [
      { step: 1, loss: 0.7 },
      { step: 2, loss: 0.6 },
    ];
    const page = renderReport({ title: 'T', summary: 'S', reward: truth, metrics });
    expect(page.indexOf('id="reward"')).toBeGreaterThan(0);
    expect(page.indexOf('id="reward"')).toBeLessThan(page.indexOf('id="curves"'));
    expect(page).toContain(
      'aria-label="Reliability diagram: at 59.9% confidence 100% of 80 right."',
    );
    expect(renderReport({ title: 'T', summary: 'S' })).not.toContain('id="reward"');
  });

  test('points are at their confidence and accuracy', () => {
    // Confidence 3/4 is halfway along the axis, and so is accuracy 1/2 on the other.
    const half = rewardFindings(repeat(8, (index) => pair(1, (index % 2 ? 1 : -1) * Math.log(3))));
    const { text } = rewardSection(half);
    expect(text).toContain('<circle cx="253.0" cy="140.0"');
  });

  test('the table has both sides, equal lengths, and no side without pairs', () => {
    const { text } = rewardSection(
      rewardFindings([...repeat(4, () => pair(5, 1)), ...repeat(2, () => pair(0, 1))], {
        lengthUnit: '<b>words</b>',
      }),
    );
    expect(text).toContain('<th scope="row">nothing</th><td>2</td>');
    expect(text).toMatch(/<th scope="row">5<span.*<td>4<\/td><td title="4 pairs, 95% interval/);
    expect(text).toContain('<td>–</td>');
    expect(text).toContain('&lt;b&gt;words');
    expect(text).not.toContain('<b>');
  });
});
