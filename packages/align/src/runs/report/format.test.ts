import { expect, it } from 'vitest';
import { formatterOf } from './format.ts';

it.each([
  ['count', 62, '62'],
  ['count', 1234, '1,234'],
  ['count', -3, '\u22123'],
  ['count', 0, '0'],
  ['count', 2.5, '2.50'],
  ['number', 62, '62.0'],
  ['share', 0.62, '62%'],
] as const)('a %s of %d is shown as %s', (unit, value, shown) => {
  expect(formatterOf(unit)(value)).toBe(shown);
});
