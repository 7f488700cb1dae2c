import type { Tokenizer } from '@keel/model';
import type { TextPiece } from './chat-turns.ts';

/** The tokens of a sequence, and which of them are scored. */
export interface ScoredSequence {
  tokens: number[];
  /** As long as `tokens`. */
  scored: boolean[];
  /** Set if the chat template writes nothing of the assistant's text. */
  silent?: true;
}

export interface TokenisedPieces extends ScoredSequence {
  /** Number of tokens of each piece; the last includes an added end-of-sequence token. */
  lengths: number[];
}

/**
 * Tokenises a text given in pieces. No token crosses a border between two pieces, and the first
 * piece has the same tokens as it has alone.
 * @param begin whether to add what the tokenizer puts before a text (bos)
 * @param end whether to add the end-of-sequence token, unless the text ends with it; it is scored
 *   if the last piece is
 */
export function tokenisePieces(
  pieces: readonly TextPiece[],
  tokenizer: Tokenizer,
  { begin = false, end = false } = {},
): TokenisedPieces {
  const texts = pieces.map(({ text }) => text);
  const { eosTokenId } = tokenizer;
  const ending = end && eosTokenId !== null ? (tokenizer.idToToken(eosTokenId) ?? '') : '';
  // As text, since the token may absorb white space before it.
  if (texts.length > 0 && !texts.at(-1)!.endsWith(ending)) texts.push(`${texts.pop()}${ending}`);
  const found = tokenizer.encodePieces(texts, { addSpecialTokens: begin });
  const last = found.at(-1);
  if (ending !== '' && last !== undefined && last.at(-1) !== eosTokenId) last.push(eosTokenId!);
  return {
    tokens: found.flat(),
    scored: found.flatMap((tokens, at) => tokens.map(() => pieces[at]!.scored)),
    lengths: found.map(({ length }) => length),
  };
}
