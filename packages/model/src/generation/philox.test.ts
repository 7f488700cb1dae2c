import { expect, test } from 'vitest';
import { philox, uniformFor } from './philox.ts';

// Known results of the Random123 library's philox4x32-10.
test.each([
  { counter: [0, 0, 0, 0], key: [0, 0], answer: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    answer: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    answer: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
])('philox of $counter', ({ counter, key, answer }) => {
  expect(philox(counter as [number, number, number, number], key as [number, number])).toEqual(
    answer,
  );
});

test('every index, and every part of the seed, changes the number', () => {
  const names = [
    [0, 0, 0, 0],
    [1, 0, 0, 0],
    [2 ** 32, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ] as const satisfies [number, number, number, number][];
  const numbers = names.map(([seed, prompt, sample, step]) =>
    uniformFor(seed, prompt, sample, step),
  );
  expect(new Set(numbers).size).toBe(names.length);
  for (const number of numbers) expect(number >= 0 && number < 1).toBe(true);
});

test('numbers of adjacent indices are spread evenly', () => {
  const counts = new Array<number>(16).fill(0);
  const draws = 16_000;
  for (let i = 0; i < draws; i++)
    counts[Math.floor(uniformFor(7, i % 40, ((i / 40) % 40) | 0, (i / 1600) | 0) * 16)]! += 1;
  const expected = draws / 16;
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 99.9% point of chi-square with 15 degrees of freedom.
  expect(statistic).toBeLessThan(37.7);
});
