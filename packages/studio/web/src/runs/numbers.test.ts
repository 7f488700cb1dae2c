import { expect, test } from 'vitest';
import { durationText, numberText, shareText, valueText } from './numbers.ts';

test.each([
  [0, '0'],
  [0.612345, '0.6123'],
  [-1234.5, '−1,235'],
  [0.00001, '1e-5'],
  [123_456_789, '1.23e8'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '−∞'],
  [null, '–'],
])('%d is shown as %s', (value, text) => {
  expect(numberText(value)).toBe(text);
});

test('shares, durations and values of options', () => {
  expect([0, 0.123456, 1].map(shareText)).toEqual(['0%', '12.3%', '100%']);
  expect([0, 59, 90, 3600, 9000, 90_000].map(durationText)).toEqual([
    ...['0 s', '59 s', '2 min', '1 h', '2 h 30 min', '1 d 1 h'],
  ]);
  expect([null, 'a', [1, 2], { b: [1] }].map(valueText)).toEqual([
    'none',
    'a',
    '1, 2',
    '{"b":[1]}',
  ]);
});
