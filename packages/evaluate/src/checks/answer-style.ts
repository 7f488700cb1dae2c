// Measures of how an answer is written. They judge nothing.
import { z } from 'zod';
import type { Check, Measure } from './check.ts';
import { simpleCheck } from './simple-check.ts';

export const styleSchema = z.strictObject({ type: z.literal('style') });

export interface AnswerStyle {
  characters: number;
  words: number;
  /** Separated by an empty line. */
  paragraphs: number;
  /** Items of bulleted and numbered lists. */
  list_items: number;
  headers: number;
  bold: number;
  code_blocks: number;
  tables: number;
  emoji: number;
  exclamation_marks: number;
  /** "perhaps", "it depends", "I think". */
  hedges: number;
  /** "Great question!", "I hope this helps". */
  pleasantries: number;
}

const HEDGES = new RegExp(
  `\\b(?:${[
    'perhaps|maybe|possibly|probably|arguably|likely|unlikely|presumably|apparently|seemingly',
    'might|could be|may be|may not be|tends? to|it depends|depends on|it seems|it appears|seems to',
    'appears to|in some cases|in general|generally|typically|usually|often|sometimes|to some extent',
    "somewhat|relatively|i think|i believe|i guess|i'm not sure|i am not sure|not certain",
    'as far as i know|to my knowledge|it is possible|it is worth noting|keep in mind',
  ].join('|')})\\b`,
  'g',
);

const PLEASANTRIES = new RegExp(
  `\\b(?:${[
    '(?:great|good|excellent|wonderful|interesting) question|certainly!|of course!|absolutely!',
    "sure!|sure thing|i'd be happy to|i would be happy to|happy to help|glad you asked",
    'i hope (?:this|that) helps|hope this helps|let me know if|feel free to|you are absolutely right',
    "you're absolutely right|thank you for (?:asking|your question)",
  ].join('|')})`,
  'g',
);

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

/** How an answer is written, in counts. Lines of code count as characters and words only. */
export function answerStyle(answer: string): AnswerStyle {
  const fences = /^[ \t]*(?:```|~~~)[^\n]*\n[\s\S]*?(?:^[ \t]*(?:```|~~~)[ \t]*$|(?![\s\S]))/gm;
  const prose = answer.replace(fences, '\n');
  const lower = prose.toLowerCase().replace(/[’‘]/g, "'");
  return {
    characters: [...answer].length,
    words: count(answer, /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu),
    paragraphs: answer.split(/\n\s*\n/).filter((part) => part.trim() !== '').length,
    list_items: count(prose, /^[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+\S/gm),
    headers: count(prose, /^ {0,3}#{1,6}[ \t]+\S/gm),
    bold: count(prose, /\*\*[^\s*][^\n*]*\*\*|__[^\s_][^\n_]*__/g),
    code_blocks: count(answer, fences),
    tables: count(prose, /^[ \t]*\|?[ \t]*:?-{3,}:?[ \t]*(?:\|[ \t]*:?-{3,}:?[ \t]*)+\|?[ \t]*$/gm),
    emoji: count(prose, /\p{Extended_Pictographic}/gu),
    exclamation_marks: count(prose, /[!！]/g),
    hedges: count(lower, HEDGES),
    pleasantries: count(lower, PLEASANTRIES),
  };
}

/**
 * The quantities of {@link answerStyle}, and as shares: answers with a list, with Markdown
 * (headers, bold or lists), without text; and hedges and pleasantries per 100 words.
 */
export const styleCheck = (): Check =>
  simpleCheck({
    name: 'style',
    check(answer) {
      const style = answerStyle(answer);
      const each = Object.entries(style).map(([name, sum]) => [name, { sum, count: 1 }]);
      const share = (holds: boolean): Measure => ({ sum: Number(holds), count: 1 });
      const perHundredWords = (sum: number): Measure => ({ sum: 100 * sum, count: style.words });
      return {
        score: null,
        measures: {
          ...(Object.fromEntries(each) as Record<string, Measure>),
          with_list: share(style.list_items > 0),
          with_markdown: share(style.list_items + style.headers + style.bold > 0),
          empty: share(answer.trim() === ''),
          hedges_per_100_words: perHundredWords(style.hedges),
          pleasantries_per_100_words: perHundredWords(style.pleasantries),
        },
      };
    },
  });
