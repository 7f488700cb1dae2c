import { expect, it } from 'vitest';
import { tinyChatTokenizer } from '../testing/tiny-chat-model.ts';
import { tokeniseRanking } from './tokenise-ranking.ts';

const tokenizer = tinyChatTokenizer();

it('a ranking is given up where the cut leaves two answers of different rank the same', () => {
  const row = (ranks: number[]) => ({
    prompt: 'hello',
    completions: ['x x x x 1', 'x x x x 2', 'day'],
    ...{ ranks, extra: {} },
  });
  const short = (ranks: number[]) => {
    const { prompt, answers } = tokeniseRanking(row(ranks), tokenizer, { maxLength: null })!;
    const maxLength = prompt.length + answers[0]!.tokens.length - 2;
    return tokeniseRanking(row(ranks), tokenizer, { maxLength });
  };
  expect(short([1, 2, 3])).toBeNull();
  const tied = short([1, 1, 2])!;
  expect(tied).toMatchObject({ truncated: true, ranks: [1, 1, 2] });
  expect(tied.answers[0]!.tokens).toEqual(tied.answers[1]!.tokens);
});

it('names the field of each answer, the best first', () => {
  const row = { prompt: 'hello', completions: ['a', 'b', 'c'], ranks: [2, 3, 1], extra: {} };
  expect(tokeniseRanking(row, tokenizer, { maxLength: null })!.fields).toEqual([
    ...['completions[2]', 'completions[0]', 'completions[1]'],
  ]);
});
