import { expect, test } from 'vitest';
import { answerNumber, numbersIn } from './read-number.ts';

test.each([
  ['It costs $1,234.50.', [1234.5]],
  ['-3 or −4 or (-5) or -$6', [-3, -4, -5, -6]],
  ['pages 10-12, top-5', [10, 12, 5]],
  ['1/2 or 2 1/2 or \\frac{3}{4}', [0.5, 2.5, 0.75]],
  ['on 3/4/2024', [3, 4, 2024]],
  ['1e3, 1.5E-2, 2 × 10^6, 3 \\times 10', [1000, 0.015, 2e6, 3, 10]],
  ['3 million people, 40% of 7.5 billion', [3e6, 40, 7.5e9]],
  ['.5 and 0.25', [0.5, 0.25]],
  ["1'000'000 or 1\u202f000\u202f000", [1e6, 1e6]],
  ['1, 2, 3 and 1,2', [1, 2, 3, 1, 2]],
  ['**42**', [42]],
  ['H2O, B12', []],
  ['12km and 5kg', [12, 5]],
  ['1/0', []],
  ['none', []],
])('%j', (text, numbers) => {
  expect(numbersIn(text)).toEqual(numbers);
});

test.each([
  ['Step 1: 2 + 3 = 5. #### 5 apples', 5],
  ['#### 1\n#### 2', 2],
  ['\\boxed{\\frac{1}{2}} as of 2024', 0.5],
  ['\\boxed{x} = 7', 7],
  ['The answer is 10.', 10],
  ['', null],
])('the answer of %j is %j', (text, number) => {
  expect(answerNumber(text)).toBe(number);
});

test('numbers in any common form are read back', () => {
  for (let index = 0; index < 500; index++) {
    const value = Math.round(Math.sin(index * 7.3) * 10 ** (index % 9) * 100) / 100;
    for (const text of [
      String(value),
      value.toLocaleString('en-US', { maximumFractionDigits: 2 }),
      value.toExponential(),
      `about ${value} metres`,
      `**${value}**`,
    ]) {
      expect(numbersIn(text), text).toEqual([value]);
    }
  }
});

test('long texts take little time', () => {
  const start = performance.now();
  for (const text of ['1,234 '.repeat(20_000), '1'.repeat(50_000), '1 1/'.repeat(20_000)]) {
    numbersIn(text);
  }
  expect(performance.now() - start).toBeLessThan(10_000);
});
