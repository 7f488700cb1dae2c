import { expect, test } from 'vitest';
import { mismatched } from './mismatched.ts';
import type { PromptedAnswer } from './pack-answers.ts';

/** Prompts and answers of one token each. */
const answers = (...pairs: [number, number][]): PromptedAnswer[] =>
  pairs.map(([prompt, token]) => ({
    prompt: [prompt],
    answer: { tokens: [token], scored: [true] },
  }));
const shown = (found: readonly PromptedAnswer[]) =>
  found.map(({ prompt, answer }) => [prompt[0], answer.tokens[0]]);

test('each prompt takes the answer of the next row', () => {
  const rows = answers([1, 10], [2, 20], [3, 30]);
  expect(shown(mismatched(rows, 'mismatched'))).toEqual([
    [1, 20],
    [2, 30],
    [3, 10],
  ]);
});

test('TRL takes the answer of the previous row', () => {
  const rows = answers([1, 10], [2, 20], [3, 30]);
  expect(shown(mismatched(rows, 'rotated'))).toEqual([
    [1, 30],
    [2, 10],
    [3, 20],
  ]);
});

test("KTO's KL never pairs a prompt with an answer to itself", () => {
  const rows = answers([1, 10], [1, 11], [2, 20], [1, 12]);
  expect(shown(mismatched(rows, 'mismatched'))).toEqual([
    [1, 20],
    [1, 20],
    [2, 12],
    [1, 20],
  ]);
  expect(mismatched(answers([1, 10], [1, 11]), 'mismatched')).toEqual([]);
});

test('chosen and rejected answers count equally if each prompt has both', () => {
  const rows = answers([1, 10], [1, 11], [2, 20], [2, 21], [3, 30], [3, 31]);
  expect(shown(mismatched(rows, 'mismatched'))).toEqual([
    [1, 20],
    [1, 21],
    [2, 30],
    [2, 31],
    [3, 10],
    [3, 11],
  ]);
});

test('a single row has none, and so no KL', () => {
  expect(mismatched(answers([1, 10]), 'mismatched')).toEqual([]);
});
