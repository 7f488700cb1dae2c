import { expect, it } from 'vitest';
import { hiddenToken } from './hidden-token.ts';

it('finds special tokens that do not end a turn, and ids without a token', () => {
  const tokenizer = {
    specialTokenIds: new Set([1, 2, 3]),
    endOfTurnIds: new Set([2]),
    idToToken: (id: number) => (id > 20 ? null : `<${id}>`),
  };
  expect(hiddenToken([7, 8, 2], tokenizer)).toBe(null);
  expect(hiddenToken([7, 3, 8, 1, 2], tokenizer)).toBe('<3>');
  // A padded vocabulary has ids without a token.
  expect(hiddenToken([7, 21, 2], tokenizer)).toBe('id 21');
});
