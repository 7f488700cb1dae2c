import { expect, it } from 'vitest';
import type { MicroBatchLimit } from './micro-batches.ts';
import { packRollouts, rolloutPasses } from './pack-rollouts.ts';

const answers = {
  prompts: [[1, 2, 3], [4]],
  completions: [[10, 11], [12], [20, 21, 22], [23]],
  groups: [0, 0, 1, 1],
};
const all = [0, 1, 2, 3];

it('packs a prompt once for all of its answers; the end of the prompt predicts the first token', () => {
  const { packed, scored } = packRollouts(answers, all);
  expect([...packed.tokens]).toEqual([1, 2, 3, 10, 11, 12, 4, 20, 21, 22, 23]);
  expect([...packed.positions]).toEqual([0, 1, 2, 3, 4, 3, 0, 1, 2, 3, 1]);
  expect(packed.segments.map(({ prefix }) => prefix)).toEqual([-1, 0, 0, -1, 3, 3]);
  expect([...scored.rows]).toEqual([2, 3, 2, 6, 7, 8, 6]);
  expect([...scored.targets]).toEqual([10, 11, 12, 20, 21, 22, 23]);
});

it('divides answers into passes by prompts or by tokens, splitting a group that is too large', () => {
  const passesOf = (sequences: number[], limit: MicroBatchLimit): number[][] =>
    rolloutPasses(answers, sequences, limit)[0]!;
  expect(passesOf(all, { rows: null, tokens: null })).toEqual([all]);
  expect(passesOf(all, { rows: 1, tokens: null })).toEqual([
    [0, 1],
    [2, 3],
  ]);
  // The first prompt with its answers has 6 tokens, the second has 5.
  expect(passesOf(all, { rows: null, tokens: 11 })).toEqual([all]);
  expect(passesOf(all, { rows: null, tokens: 6 })).toEqual([
    [0, 1],
    [2, 3],
  ]);
  const cut = passesOf(all, { rows: null, tokens: 5 });
  expect(cut.flat().sort()).toEqual(all);
  expect(cut).toContainEqual([2, 3]);
  expect(cut).toContainEqual([0]);
  // An answer longer than a pass gets its own pass.
  expect(passesOf(all, { rows: null, tokens: 1 }).length).toBe(4);
  expect(passesOf([3, 1], { rows: null, tokens: null })).toEqual([[3, 1]]);
});

it('divides them among processes, so that each has some answers, also of one prompt', () => {
  const limit = { rows: null, tokens: null };
  expect(rolloutPasses(answers, all, limit, { shares: 2 })).toEqual([[[0, 1]], [[2, 3]]]);
  expect(rolloutPasses(answers, [0, 1], limit, { shares: 2 })).toEqual([[[0]], [[1]]]);
  expect(rolloutPasses(answers, [3], limit, { shares: 2 })).toEqual([[[3]], []]);
  const whole = { shares: 2, wholeGroups: true };
  expect(rolloutPasses(answers, [0, 1], limit, whole)).toEqual([[[0, 1]], []]);
});
