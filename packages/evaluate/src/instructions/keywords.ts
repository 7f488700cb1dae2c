import { z } from 'zod';
import { count, instruction, isWithin, literal, matches, relation, text } from './instruction.ts';

export const keywords = {
  /** All keywords occur. */
  'keywords:existence': instruction(
    { keywords: z.array(text).min(1) },
    (answer, { keywords: all }) =>
      all.every((word) => answer.toLowerCase().includes(word.toLowerCase())),
  ),
  'keywords:frequency': instruction(
    { keyword: text, frequency: count, relation },
    (answer, { keyword, frequency, relation: how }) =>
      isWithin(matches(answer, new RegExp(literal(keyword.trim()), 'gi')), frequency, how),
  ),
  /** None of the words occurs as a whole word. */
  'keywords:forbidden_words': instruction(
    { forbidden_words: z.array(text).min(1) },
    (answer, { forbidden_words: words }) =>
      words.every(
        (word) =>
          !new RegExp(`(?<![\\p{L}\\p{N}_])${literal(word)}(?![\\p{L}\\p{N}_])`, 'iu').test(answer),
      ),
  ),
  'keywords:letter_frequency': instruction(
    { letter: z.string().length(1), let_frequency: count, let_relation: relation },
    (answer, { letter, let_frequency: wanted, let_relation: how }) =>
      isWithin(answer.toLowerCase().split(letter.toLowerCase()).length - 1, wanted, how),
  ),
};
