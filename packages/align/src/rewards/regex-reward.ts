import { withinTime } from '@keel/model';
import { z } from 'zod';
import { wholeMessage } from '../data/message-text.ts';
import { functionReward } from './function-reward.ts';
import type { Reward } from './reward.ts';

export const regexSchema = z
  .strictObject({
    type: z.literal('regex'),
    /** A JavaScript regular expression, without slashes. */
    pattern: z.string().min(1),
    flags: z.string().default(''),
    /** 1 if it matches, 1 if it does not, or the number of matches. */
    mode: z.enum(['match', 'no_match', 'count']).default('match'),
    /** Any part of the completion, or all of it. */
    where: z.enum(['anywhere', 'whole']).default('anywhere'),
    /** The whole message, with what the generation prompt opened, or only the sampled text. */
    of: z.enum(['message', 'text']).default('message'),
  })
  .superRefine(({ pattern, flags }, context) => {
    try {
      new RegExp(pattern, flags);
    } catch (error) {
      const message = (error as Error).message;
      context.addIssue({ code: 'custom', path: ['pattern'], message });
    }
  });

/** An expression that takes this long tries every way to divide the text, and would not finish. */
const LONGEST_SECONDS = 10;

/** Whether, or how often, a regular expression matches the completion. */
export function regexReward(spec: z.input<typeof regexSchema>): Reward {
  const { pattern, flags, mode, where, of } = regexSchema.parse(spec);
  const source = where === 'whole' ? `^(?:${pattern})$` : pattern;
  // The expression's state (lastIndex) must not carry over from one answer to the next.
  const expression = new RegExp(source, [...new Set(`${flags.replace('y', '')}g`)].join(''));
  const name = `regex:/${pattern}/${flags}`;
  return functionReward(name, (input) => {
    const text = of === 'message' ? wholeMessage(input) : input.text;
    const score = (): number =>
      mode === 'count'
        ? [...text.matchAll(expression)].length
        : Number(text.search(expression) >= 0 === (mode === 'match'));
    return withinTime(
      LONGEST_SECONDS * 1000,
      score,
      () =>
        new Error(
          `takes more than ${LONGEST_SECONDS} seconds on an answer of ${text.length} characters. Rewrite the pattern without nested repetitions such as (a+)+`,
        ),
    );
  });
}
