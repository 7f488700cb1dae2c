import { describe, expect, it } from 'vitest';
import { comparisonValue, judgedComparisonValue } from './comparison-value.ts';

const logit = (p: number): number => Math.log(p / (1 - p));

describe('the value of a comparison', () => {
  it('of one member is its uncertainty, which is highest at a chance of a half', () => {
    expect(comparisonValue([0])).toEqual({
      ...{ probability: 0.5, disagreement: 0, information: 0, uncertainty: 0.25 },
    });
    const { probability, uncertainty } = comparisonValue([logit(0.9)]);
    expect(probability).toBeCloseTo(0.9, 12);
    expect(uncertainty).toBeCloseTo(0.09, 12);
  });

  it('of members that are sure of opposites is all information: ln 2', () => {
    const { probability, information, disagreement } = comparisonValue([40, -40]);
    expect(probability).toBeCloseTo(0.5, 12);
    expect(information).toBeCloseTo(Math.LN2, 9);
    expect(disagreement).toBeCloseTo(40 * Math.SQRT2, 9);
  });

  it('of members that agree to be unsure is no information', () => {
    const found = comparisonValue([0, 0, 0]);
    expect(found.information).toBe(0);
    expect(found.uncertainty).toBe(0.25);
  });

  it('is H(mean p) - mean H(p), worked out by hand for 0.9 and 0.6', () => {
    const h = (p: number): number => -p * Math.log(p) - (1 - p) * Math.log(1 - p);
    const { information } = comparisonValue([logit(0.9), logit(0.6)]);
    expect(information).toBeCloseTo(h(0.75) - (h(0.9) + h(0.6)) / 2, 12);
  });

  it('does not depend on which answer is first, and stays finite at 1e4', () => {
    const gaps = [0.4, -1.2, 2];
    const [one, other] = [comparisonValue(gaps), comparisonValue(gaps.map((gap) => -gap))];
    expect(other.information).toBeCloseTo(one.information, 12);
    expect(other.uncertainty).toBeCloseTo(one.uncertainty, 12);
    expect(other.probability).toBeCloseTo(1 - one.probability, 12);
    expect(comparisonValue([1e4, 1e4])).toMatchObject({ information: 0, uncertainty: 0 });
  });

  it('refuses no member and gaps that are not finite', () => {
    expect(() => comparisonValue([])).toThrow(/none/);
    expect(() => comparisonValue([1, Number.NaN])).toThrow(/NaN/);
  });
});

describe('the value of a comparison by chances', () => {
  const h = (p: number): number => -p * Math.log(p) - (1 - p) * Math.log(1 - p);

  it('is worked out by hand for 0.9 and 0.5', () => {
    const found = judgedComparisonValue([0.9, 0.5]);
    expect(found.probability).toBeCloseTo(0.7, 12);
    // sqrt(0.2^2 + 0.2^2)
    expect(found.disagreement).toBeCloseTo(Math.sqrt(0.08), 12);
    expect(found.information).toBeCloseTo(h(0.7) - (h(0.9) + h(0.5)) / 2, 12);
    expect(found.uncertainty).toBeCloseTo(0.21, 12);
  });

  it('is largest where certain judges contradict each other', () => {
    const found = judgedComparisonValue([1, 0]);
    expect(found.disagreement).toBeCloseTo(Math.SQRT1_2, 12);
    expect(found.information).toBeCloseTo(Math.LN2, 12);
    expect(judgedComparisonValue([1, 1])).toMatchObject({ disagreement: 0, uncertainty: 0 });
    expect(judgedComparisonValue([0.5])).toMatchObject({ disagreement: 0, uncertainty: 0.25 });
  });

  it('is that of the gaps, but for the scale of the disagreement', () => {
    const { disagreement: _, ...byChance } = judgedComparisonValue([0.9, 0.4]);
    const { disagreement: __, ...byGap } = comparisonValue([Math.log(9), Math.log(2 / 3)]);
    for (const [name, value] of Object.entries(byGap))
      expect(byChance[name as keyof typeof byGap]).toBeCloseTo(value, 12);
  });

  it('refuses no judge and what is no chance', () => {
    expect(() => judgedComparisonValue([])).toThrow(/none/);
    expect(() => judgedComparisonValue([0.5, 1.2])).toThrow(/1\.2/);
  });
});
