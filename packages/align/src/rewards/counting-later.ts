import type { Tokenizer } from '@keel/model';
import { tokenizerLater } from '@keel/model/without-torch';
import type { CountTokens } from './user-function.ts';

/**
 * Counts tokens with a tokenizer that is loaded on first use.
 * @param tokenizer a model's name; null: tokens are not counted
 * @throws Error if there is no such model
 */
export async function countingLater(tokenizer: string | null): Promise<CountTokens | undefined> {
  if (tokenizer === null) return undefined;
  const later = await tokenizerLater(tokenizer);
  return (text) => countAnswer(later(), text);
}

/** Tokens of an answer, which continues a prompt: the tokenizer puts no space before it. */
export const countAnswer = (tokenizer: Pick<Tokenizer, 'encodePieces'>, text: string): number =>
  tokenizer.encodePieces(['\n', text])[1]!.length;
