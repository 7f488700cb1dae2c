import type { Tokenizer } from '@keel/model';

/** A token as it is shown. */
export interface TokenPiece {
  id: number;
  /** The text it adds; for part of a character, its name in the vocabulary. */
  text: string;
  scored: boolean;
}

/** The tokens of one part of a row. */
export interface TokenPart {
  name: string;
  pieces: TokenPiece[];
}

/** The tokens of one part with the text that each adds. */
export function tokenPieces(
  tokenizer: Tokenizer,
  ids: readonly number[],
  scored: readonly boolean[],
): TokenPiece[] {
  const decoder = tokenizer.streamDecoder();
  return ids.map((id, index) => ({
    id,
    text: decoder.push(id) || (tokenizer.idToToken(id) ?? ''),
    scored: scored[index] ?? false,
  }));
}
