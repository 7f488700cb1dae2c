import type { Tokenizer } from '@keel/model';

/**
 * The first special token in a sampled answer that its text leaves out, such as `[TOOL_CALLS]`.
 * Tokens that end a turn do not count.
 * @returns null if the text has all of the answer
 */
export function hiddenToken(
  tokens: readonly number[],
  tokenizer: Pick<Tokenizer, 'specialTokenIds' | 'endOfTurnIds' | 'idToToken'>,
): string | null {
  const hidden = tokens.find(
    (id) => tokenizer.specialTokenIds.has(id) && !tokenizer.endOfTurnIds.has(id),
  );
  return hidden === undefined ? null : tokenizer.idToToken(hidden);
}

/** Reports answers whose text lacks tokens. @param token one of them */
export const hiddenNotice = (token: string): string =>
  `some answers have special tokens that their text leaves out, such as ${token}. Training on the text does not teach them`;
