import { expect, test } from 'vitest';
import { drawPairs } from './draw-pairs.ts';

const prompts = [
  { scores: [3, 1, 2], texts: ['a', 'b', 'c'] },
  { scores: [1, 1], texts: ['a', 'b'] },
  { scores: [0, 5], texts: ['same', 'same'] },
  { scores: [0, 5, 5], texts: ['a', 'b', 'c'] },
];

test('every pair that gold and texts tell apart, the better one first, prompts in turn', () => {
  const drawn = drawPairs(prompts, 4);
  const named = drawn.map(({ prompt, chosen, rejected }) => `${prompt} ${chosen}>${rejected}`);
  expect(named.toSorted()).toEqual(['0 0>1', '0 0>2', '0 2>1', '3 1>0', '3 2>0']);
  // Two rounds have both prompts, and then there is only one.
  expect(
    drawn
      .map(({ prompt }) => prompt)
      .slice(0, 2)
      .toSorted(),
  ).toEqual([0, 3]);
  expect(
    drawn
      .map(({ prompt }) => prompt)
      .slice(2, 4)
      .toSorted(),
  ).toEqual([0, 3]);
});

test('the same seed draws the same pairs and flips; about as many as the noise says', () => {
  expect(drawPairs(prompts, 4)).toEqual(drawPairs(prompts, 4));
  expect(drawPairs(prompts, 4)).not.toEqual(drawPairs(prompts, 5));
  const many = Array.from({ length: 400 }, () => ({ scores: [0, 1], texts: ['a', 'b'] }));
  const flipped = drawPairs(many, 1).filter(({ draw }) => draw < 0.25).length;
  expect(Math.abs(flipped - 100)).toBeLessThan(30);
});
