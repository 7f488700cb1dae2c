import { expect, test } from 'vitest';
import { durationText, numberText, shareText, tickTexts, valueText } from './numbers.ts';

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

test('texts of ticks tell them apart', () => {
  expect(tickTexts([5.9041, 5.90415, null, 5.9042])).toEqual(['5.9041', '5.90415', '', '5.9042']);
  expect(tickTexts([0, 0.0005, 0.001], true)).toEqual(['0%', '0.05%', '0.1%']);
  expect(tickTexts([0.1, 0.2, 0.30000000000000004])).toEqual(['0.1', '0.2', '0.3']);
  expect(tickTexts([10_000, 10_000.2])).toEqual(['10,000', '10,000.2']);
});
