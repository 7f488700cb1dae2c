import type { Tokenizer } from '@keel/model';
import type { TextPiece } from './chat-turns.ts';

/** Tokens of a sequence, and which of them are scored. */
export interface ScoredSequence {
  tokens: number[];
  /** As long as `tokens`. */
  scored: boolean[];
}

export interface TokenisedPieces extends ScoredSequence {
  /** Tokens of each piece; the last one's include the end-of-sequence token that was added. */
  lengths: number[];
}

/**
 * Tokenises a text that is given in pieces. No token lies across a border between two of them, and the first piece has the
 * tokens that it has alone.
 * @param begin whether the text gets what the tokenizer puts before a text (bos)
 * @param end whether the end-of-sequence token follows, scored as the last piece is, where the text does not end with it
 */
export function tokenisePieces(
  pieces: readonly TextPiece[],
  tokenizer: Tokenizer,
  { begin = false, end = false } = {},
): TokenisedPieces {
  const found = tokenizer.encodePieces(
    pieces.map(({ text }) => text),
    { addSpecialTokens: begin },
  );
  const { eosTokenId } = tokenizer;
  const last = found.at(-1);
  if (end && eosTokenId !== null && last !== undefined && last.at(-1) !== eosTokenId) {
    last.push(eosTokenId);
  }
  return {
    tokens: found.flat(),
    scored: found.flatMap((tokens, at) => tokens.map(() => pieces[at]!.scored)),
    lengths: found.map(({ length }) => length),
  };
}
