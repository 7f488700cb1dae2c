// Finds what is wrong with a single answer from its text alone, in any language.

export type AnswerFault = 'empty' | 'repeats itself' | 'is not text';

/** Letters per piece. Shorter pieces repeat by chance; longer pieces miss short loops. */
const PIECE = 8;
/** Fewer pieces are too few to judge. */
const LEAST_PIECES = 16;
/** Prose of 50 tokens repeats under 15% of its pieces; a sentence written twice repeats half. */
const REPEATED = 0.6;
/** Prose has over 90% letters, digits and spaces, code over 60%. */
const WORDS = 0.4;
const LEAST_CHARACTERS = 8;

/** The worst fault of an answer; null if it looks like text. */
export function answerFault(answer: string): AnswerFault | null {
  const text = answer.trim();
  if (text === '') return 'empty';
  const characters = [...text];
  if (characters.length >= LEAST_CHARACTERS) {
    const words = characters.filter((one) => /[\p{L}\p{M}\p{N}\s]/u.test(one)).length;
    if (words / characters.length < WORDS) return 'is not text';
  }
  return repeatedShare(characters) >= REPEATED ? 'repeats itself' : null;
}

/** Share of the text's 8-letter pieces that repeat an earlier piece. */
export function repeatedShare(characters: readonly string[]): number {
  const count = characters.length - PIECE + 1;
  if (count < LEAST_PIECES) return 0;
  const pieces = new Set<string>();
  for (let at = 0; at < count; at++) pieces.add(characters.slice(at, at + PIECE).join(''));
  return 1 - pieces.size / count;
}

/**
 * Share of the longer words in texts that are distinct; null if there are few. Short words are
 * excluded because they repeat in every text.
 */
export function distinctWords(texts: readonly string[]): number | null {
  const words = texts.flatMap((text) => text.toLowerCase().match(/[\p{L}\p{M}\p{N}]{5,}/gu) ?? []);
  return words.length < LEAST_WORDS ? null : new Set(words).size / words.length;
}

const LEAST_WORDS = 20;
