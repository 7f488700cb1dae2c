import type { Tokenizer } from '@keel/model';
import type { TextPiece } from './chat-turns.ts';

/** Tokens of a sequence, and which of them are scored. */
export interface ScoredSequence {
  tokens: number[];
  /** As long as `tokens`. */
  scored: boolean[];
}

/**
 * Tokenises each piece by itself, so that no token lies across a border between what is scored and what is not.
 * @param begin whether the first piece gets what the tokenizer puts before a text (bos)
 * @param end whether the end-of-sequence token follows, scored as the last piece is, where the text does not end with it
 */
export function tokenisePieces(
  pieces: readonly TextPiece[],
  tokenizer: Tokenizer,
  { begin = false, end = false } = {},
): ScoredSequence {
  const sequence: ScoredSequence = { tokens: [], scored: [] };
  const add = (tokens: readonly number[], scored: boolean): void => {
    for (const token of tokens) {
      sequence.tokens.push(token);
      sequence.scored.push(scored);
    }
  };
  pieces.forEach(({ text, scored }, index) => {
    add(tokenizer.encode(text, { addSpecialTokens: begin && index === 0 }), scored);
  });
  const { eosTokenId } = tokenizer;
  if (end && eosTokenId !== null && sequence.tokens.at(-1) !== eosTokenId) {
    add([eosTokenId], pieces.at(-1)?.scored ?? true);
  }
  return sequence;
}
