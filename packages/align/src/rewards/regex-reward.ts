import { z } from 'zod';
import { wholeMessage } from '../data/message-text.ts';
import {
  checkExpression,
  expressionName,
  expressionShape,
  globalFlags,
  withinPatience,
} from './expression.ts';
import { functionReward } from './function-reward.ts';
import type { Reward } from './reward.ts';

export const regexSchema = z
  .strictObject({
    type: z.literal('regex'),
    ...expressionShape,
    /** 1 if it matches, 1 if it does not, or the number of matches. */
    mode: z.enum(['match', 'no_match', 'count']).default('match'),
    /** Any part of the completion, or all of it. */
    where: z.enum(['anywhere', 'whole']).default('anywhere'),
    /** The whole message, with what the generation prompt opened, or only the sampled text. */
    of: z.enum(['message', 'text']).default('message'),
  })
  .superRefine(checkExpression);

/** Whether, or how often, a regular expression matches the completion. */
export function regexReward(spec: z.input<typeof regexSchema>): Reward {
  const parsed = regexSchema.parse(spec);
  const { pattern, mode, where, of } = parsed;
  const source = where === 'whole' ? `^(?:${pattern})$` : pattern;
  // The expression's state (lastIndex) must not carry over from one answer to the next.
  const expression = new RegExp(source, globalFlags(parsed));
  return functionReward(expressionName(parsed), (input) => {
    const text = of === 'message' ? wholeMessage(input) : input.text;
    const score = (): number =>
      mode === 'count'
        ? [...text.matchAll(expression)].length
        : Number(text.search(expression) >= 0 === (mode === 'match'));
    return withinPatience(text, score);
  });
}
