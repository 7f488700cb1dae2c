import { describe, expect, it } from 'vitest';
import { RunningMoments } from './running-moments.ts';

const numbers = [3, 1.5, -2, 8, 8, 0.25, 7];

const exact = (values: readonly number[]) => {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  return {
    mean,
    variance: values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (values.length - 1),
  };
};

describe('RunningMoments', () => {
  it('are those of all numbers, however they came', () => {
    const found = new RunningMoments();
    found.add(numbers.slice(0, 2));
    found.add([]);
    found.add(numbers.slice(2));
    const { mean, variance } = exact(numbers);
    expect(found.mean).toBeCloseTo(mean, 12);
    expect(found.variance).toBeCloseTo(variance, 12);
    expect(found.count).toBe(7);
  });

  it('merge as if all had been one stream, empty ones too', () => {
    const [one, other, none] = [new RunningMoments(), new RunningMoments(), new RunningMoments()];
    one.add(numbers.slice(0, 3));
    other.add(numbers.slice(3));
    none.merge(one);
    none.merge(other);
    none.merge(new RunningMoments());
    const { mean, variance } = exact(numbers);
    expect(none.mean).toBeCloseTo(mean, 12);
    expect(none.variance).toBeCloseTo(variance, 12);
    const empty = new RunningMoments();
    empty.merge(new RunningMoments());
    expect(empty.state()).toEqual({ count: 0, mean: 0, squares: 0 });
  });

  it('keep their digits far from 0', () => {
    const found = new RunningMoments();
    found.add(numbers.map((one) => one + 1e9));
    expect(found.variance).toBeCloseTo(exact(numbers).variance, 5);
  });

  it('go on from their state bit for bit', () => {
    const [one, other] = [new RunningMoments(), new RunningMoments()];
    one.add(numbers);
    other.restore(JSON.parse(JSON.stringify(one.state())));
    for (const each of [one, other]) each.add([0.1, 0.7]);
    expect(other.state()).toEqual(one.state());
  });

  it('take nothing of a batch with a number that is none, and no damaged state', () => {
    const found = new RunningMoments();
    expect(() => found.add([1, Number.NaN])).toThrow(/number 1 of the batch is NaN/);
    expect(found.count).toBe(0);
    expect(() => found.restore({ count: -1, mean: 0, squares: 0 })).toThrow(/not a state/);
    expect(() => found.restore({ count: 1, mean: Number.NaN, squares: 0 })).toThrow(/not a state/);
  });
});
