import type { Tokenizer } from '@keel/model';
import type { TextPiece } from './chat-turns.ts';

/** Tokens of a sequence, and which of them are scored. */
export interface ScoredSequence {
  tokens: number[];
  /** As long as `tokens`. */
  scored: boolean[];
}

/**
 * Tokenises pieces as one text; no token lies across a border between them.
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
  const texts = pieces.map(({ text }) => text);
  tokenizer.encodePieces(texts, { addSpecialTokens: begin }).forEach((tokens, index) => {
    add(tokens, pieces[index]!.scored);
  });
  const { eosTokenId } = tokenizer;
  if (end && eosTokenId !== null && sequence.tokens.at(-1) !== eosTokenId) {
    add([eosTokenId], pieces.at(-1)?.scored ?? true);
  }
  return sequence;
}
