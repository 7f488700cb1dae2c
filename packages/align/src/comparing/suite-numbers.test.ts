import { expect, it } from 'vitest';
import type { SuiteMetric } from '../training/run-suites.ts';
import { formatSuite, formatSuiteInterval, suiteNumbersOf } from './suite-numbers.ts';

const share = (value: number): SuiteMetric => ({
  ...{ value, interval: [value - 0.1, value + 0.1], unit: 'share', better: 'higher' },
});
const bits: SuiteMetric = { value: 2.5, interval: [2, 3], unit: 'number', better: 'lower' };

it('has the interval of one run, and the spread of several', () => {
  const one = suiteNumbersOf([{ suites: { 'sums/acc': share(0.5), 'text/bits': bits } }]);
  expect(one['sums/acc']).toMatchObject({ value: 0.5, spread: null, interval: [0.4, 0.6] });
  expect(formatSuite(one['sums/acc'])).toBe('50%');
  expect(formatSuiteInterval(one['sums/acc'])).toBe('[40%, 60%]');
  expect(formatSuite(one['text/bits'])).toBe('2.50');
  const two = suiteNumbersOf([0.4, 0.6].map((value) => ({ suites: { 'sums/acc': share(value) } })));
  expect(two['sums/acc']).toMatchObject({ value: 0.5, interval: null });
  expect(two['sums/acc']!.spread).toBeCloseTo(Math.SQRT2 / 10, 12);
  expect(formatSuite(two['sums/acc'])).toBe('50% ± 14.1%');
  expect(formatSuiteInterval(two['sums/acc'])).toBeNull();
});

it('has no number where one seed has none', () => {
  const some = suiteNumbersOf([{ suites: { 'sums/acc': share(1) } }, { suites: {} }]);
  expect(some).toEqual({});
  expect(formatSuite(some['sums/acc'])).toBe('');
  expect(formatSuiteInterval(some['sums/acc'])).toBeNull();
  expect(suiteNumbersOf([{ suites: {} }])).toEqual({});
});
