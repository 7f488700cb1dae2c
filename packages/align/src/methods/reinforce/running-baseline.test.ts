import { describe, expect, it } from 'vitest';
import { RunningBaseline } from './running-baseline.ts';

describe('RunningBaseline', () => {
  it('compares the first batch within itself, and later ones with earlier batches', () => {
    const baseline = new RunningBaseline(0.75);
    expect([...baseline.advantages([1, 2, 6])]).toEqual([1 - 4, 2 - 3.5, 6 - 1.5]);
    expect(baseline.mean).toBe(3);
    expect([...baseline.advantages([7, 3])]).toEqual([4, 0]);
    expect(baseline.mean).toBe(0.75 * 3 + 0.25 * 5);
    expect(baseline.advantages([3.5])[0]).toBe(0);
  });

  it('resumes from its state', () => {
    const [one, other] = [new RunningBaseline(), new RunningBaseline()];
    expect(one.state()).toEqual({ mean: null });
    one.advantages([1, 4]);
    other.restore(JSON.parse(JSON.stringify(one.state())));
    expect(other.advantages([2])).toEqual(one.advantages([2]));
  });

  it('refuses a first batch of one, and numbers that are not finite', () => {
    expect(() => new RunningBaseline().advantages([1])).toThrow(/at least 2 completions/);
    expect(() => new RunningBaseline().advantages([1, Number.NaN])).toThrow(/sequence 1 is NaN/);
    expect(() => new RunningBaseline(1)).toThrow(/in \[0, 1\), got 1/);
    expect(() => new RunningBaseline().restore({ mean: Number.NaN })).toThrow(/baseline .*NaN/);
  });
});
