// Measures of how an answer is written. They judge nothing.
import { answerStyle } from '@keel/align/hacking';
import { z } from 'zod';
import type { Check, Measure } from './check.ts';
import { simpleCheck } from './simple-check.ts';

export const styleSchema = z.strictObject({ type: z.literal('style') });

/**
 * The quantities of `answerStyle`, and as shares: answers with a list, with Markdown
 * (headers, bold or lists), without text; and hedges and pleasantries per 100 words.
 */
export const styleCheck = (): Check =>
  simpleCheck({
    name: 'style',
    check(answer) {
      const style = answerStyle(answer);
      const each = Object.entries(style).map(([name, sum]) => [name, { sum, count: 1 }]);
      const share = (holds: boolean): Measure => ({ sum: Number(holds), count: 1, share: true });
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
