import { z } from 'zod';
import { count, instruction, isWithin, matches, relation, text } from './instruction.ts';

export const lengths = {
  'length_constraints:number_words': instruction(
    { num_words: count, relation },
    (answer, { num_words: wanted, relation: how }) =>
      isWithin(matches(answer, /[\p{L}\p{N}\p{M}_]+/gu), wanted, how),
  ),
  'length_constraints:number_sentences': instruction(
    { num_sentences: count, relation },
    (answer, { num_sentences: wanted, relation: how }) => isWithin(sentences(answer), wanted, how),
  ),
  /** Paragraphs are separated by `***`. */
  'length_constraints:number_paragraphs': instruction(
    { num_paragraphs: count },
    (answer, { num_paragraphs: wanted }) => {
      const parts = answer.split(/\s?\*\*\*\s?/);
      const inner = parts.slice(1, -1);
      if (inner.some((part) => part.trim() === '')) return false;
      return parts.filter((part) => part.trim() !== '').length === wanted;
    },
  ),
  /** Paragraphs are separated by an empty line; the n-th (from 1) starts with this word. */
  'length_constraints:nth_paragraph_first_word': instruction(
    { num_paragraphs: count, nth_paragraph: z.int().min(1), first_word: text },
    (answer, { num_paragraphs: wanted, nth_paragraph: nth, first_word: word }) => {
      const parts = answer.split('\n\n');
      const paragraph = parts[nth - 1]?.trim() ?? '';
      if (parts.filter((part) => part.trim() !== '').length !== wanted) return false;
      const first = /^['"]*([^\s.,?!'"]*)/.exec(paragraph)?.[1] ?? '';
      return first !== '' && first.toLowerCase() === word.toLowerCase();
    },
  ),
};

/** Abbreviations whose full stop ends no sentence. */
const ABBREVIATION =
  /(?:^|[\s("'])(?:mr|mrs|ms|dr|prof|st|jr|sr|vs|etc|e\.g|i\.e|no|inc|ltd|[a-z])\.$/i;

/** Behind a full stop; behind a quotation ("Stop!" she said), only in front of a capital. */
const SENTENCE_END = new RegExp(
  ['(?<=[.!?…])\\s+', '(?<=[.!?…]["”’)\\]]+)\\s+(?!\\p{Ll})', '(?<=[。！？])'].join('|'),
  'u',
);

/** Number of sentences: parts that end with `.`, `!` or `?`, or with the end of a paragraph. */
export function sentences(answer: string): number {
  let found = 0;
  for (const paragraph of answer.split(/\n\s*\n/)) {
    let open = false;
    for (const part of paragraph.split(SENTENCE_END)) {
      if (!/[\p{L}\p{N}]/u.test(part)) continue;
      open = ABBREVIATION.test(part);
      if (!open) found++;
    }
    if (open) found++;
  }
  return found;
}
