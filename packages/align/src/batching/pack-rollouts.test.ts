import { expect, it } from 'vitest';
import { packRollouts, rolloutPasses } from './pack-rollouts.ts';

const answers = {
  prompts: [[1, 2, 3], [4]],
  completions: [[10, 11], [12], [20, 21, 22], [23]],
  groups: [0, 0, 1, 1],
};
const all = [0, 1, 2, 3];

it('packs a prompt once for all of its answers; the first token is predicted by the end of the prompt', () => {
  const { packed, scored } = packRollouts(answers, all);
  expect([...packed.tokens]).toEqual([1, 2, 3, 10, 11, 12, 4, 20, 21, 22, 23]);
  expect([...packed.positions]).toEqual([0, 1, 2, 3, 4, 3, 0, 1, 2, 3, 1]);
  expect(packed.segments.map(({ prefix }) => prefix)).toEqual([-1, 0, 0, -1, 3, 3]);
  expect([...scored.rows]).toEqual([2, 3, 2, 6, 7, 8, 6]);
  expect([...scored.targets]).toEqual([10, 11, 12, 20, 21, 22, 23]);
});

it('divides answers into passes: by prompts, or by tokens, cutting up a group that is too large', () => {
  expect(rolloutPasses(answers, all, { rows: null, tokens: null })).toEqual([all]);
  expect(rolloutPasses(answers, all, { rows: 1, tokens: null })).toEqual([
    [0, 1],
    [2, 3],
  ]);
  // Prompt and answers of the first are 6 tokens, of the second 5.
  expect(rolloutPasses(answers, all, { rows: null, tokens: 11 })).toEqual([all]);
  expect(rolloutPasses(answers, all, { rows: null, tokens: 6 })).toEqual([
    [0, 1],
    [2, 3],
  ]);
  const cut = rolloutPasses(answers, all, { rows: null, tokens: 5 });
  expect(cut.flat().sort()).toEqual(all);
  expect(cut).toContainEqual([2, 3]);
  expect(cut).toContainEqual([0]);
  // One that is longer than a pass by itself has one to itself.
  expect(rolloutPasses(answers, all, { rows: null, tokens: 1 }).length).toBe(4);
  expect(rolloutPasses(answers, [3, 1], { rows: null, tokens: null })).toEqual([[3, 1]]);
});
