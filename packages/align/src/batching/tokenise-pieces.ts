import type { Tokenizer } from '@keel/model';
import type { TextPiece } from './chat-turns.ts';

/** Tokens of a sequence, and which of them are scored. */
export interface ScoredSequence {
  tokens: number[];
  /** As long as `tokens`. */
  scored: boolean[];
  /** Set where the chat template writes nothing of what the assistant says. */
  silent?: true;
}

export interface TokenisedPieces extends ScoredSequence {
  /** Tokens of each piece; the last one's include the end-of-sequence token that was added. */
  lengths: number[];
}

/**
 * Tokenises a text that is given in pieces. No token lies across a border between two of them, and
 * the first piece has the tokens that it has alone.
 * @param begin whether the text gets what the tokenizer puts before a text (bos)
 * @param end whether the end-of-sequence token follows, scored as the last piece is, where the text
 *   does not end with it
 */
export function tokenisePieces(
  pieces: readonly TextPiece[],
  tokenizer: Tokenizer,
  { begin = false, end = false } = {},
): TokenisedPieces {
  const texts = pieces.map(({ text }) => text);
  const { eosTokenId } = tokenizer;
  const ending = end && eosTokenId !== null ? (tokenizer.idToToken(eosTokenId) ?? '') : '';
  // As text, for a token may take white space before it.
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
