import type { Tokenizer } from '@keel/model';

/**
 * The first token in a sampled answer that its text leaves out: a special one, such as
 * `[TOOL_CALLS]`, or an id of a padded vocabulary that stands for nothing. Tokens that end a turn
 * do not count.
 * @returns its text, or `id 151700`; null if the text has all of the answer
 */
export function hiddenToken(
  tokens: readonly number[],
  tokenizer: Pick<Tokenizer, 'specialTokenIds' | 'endOfTurnIds' | 'idToToken'>,
): string | null {
  const { specialTokenIds, endOfTurnIds } = tokenizer;
  const hidden = tokens.find(
    (id) => !endOfTurnIds.has(id) && (specialTokenIds.has(id) || tokenizer.idToToken(id) === null),
  );
  return hidden === undefined ? null : (tokenizer.idToToken(hidden) ?? `id ${hidden}`);
}

/** Reports answers whose text lacks tokens. @param token one of them */
export const hiddenNotice = (token: string): string =>
  `some answers have tokens that their text leaves out, such as ${token}. Training on the text does not teach them`;
