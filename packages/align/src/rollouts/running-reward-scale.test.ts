import { describe, expect, it } from 'vitest';
import { RunningRewardScale } from './running-reward-scale.ts';

describe('RunningRewardScale', () => {
  it('divides by the deviation of all scores so far, without centring', () => {
    const found = new RunningRewardScale().scale([1, 3]);
    expect([...found]).toEqual([1 / Math.SQRT2, 3 / Math.SQRT2]);
  });

  it('subtracts the mean on request', () => {
    const scale = new RunningRewardScale({ centre: true });
    scale.scale([0, 0, 10, 10]);
    const found = scale.scale([5, 5]);
    expect([...found]).toEqual([0, 0]);
  });

  it('does not depend on the units of the reward', () => {
    const [one, other] = [new RunningRewardScale(), new RunningRewardScale()];
    for (const batch of [
      [1, 2, 4],
      [0, 7, -3],
    ]) {
      const found = one.scale(batch);
      const scaled = other.scale(batch.map((score) => 1000 * score));
      found.forEach((score, at) => {
        expect(scaled[at]).toBeCloseTo(score, 12);
      });
    }
  });

  it('leaves equal scores unchanged', () => {
    expect([...new RunningRewardScale().scale([0.35, 0.35, 0.35])]).toEqual([0.35, 0.35, 0.35]);
    expect([...new RunningRewardScale().scale([4])]).toEqual([4]);
  });

  it('resumes from its state (tianshou#846: lost on resume)', () => {
    const [one, other] = [new RunningRewardScale(), new RunningRewardScale()];
    one.scale([1, 5, 9]);
    other.restore(JSON.parse(JSON.stringify(one.state())));
    expect(other.scale([2, 3])).toEqual(one.scale([2, 3]));
  });

  it('ignores a batch with a score that is not finite', () => {
    const scale = new RunningRewardScale();
    expect(() => scale.scale([1, Number.NaN])).toThrow(/score of sequence 1 is NaN/);
    expect(scale.state().count).toBe(0);
  });
});
