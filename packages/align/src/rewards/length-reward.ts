import { z } from 'zod';
import { functionReward } from './function-reward.ts';
import type { Reward } from './reward.ts';
import type { CountTokens } from './user-function.ts';

export const lengthSchema = z
  .strictObject({
    type: z.literal('length'),
    unit: z.enum(['characters', 'words', 'tokens']).default('characters'),
    min: z.number().nonnegative().optional(),
    max: z.number().nonnegative().optional(),
    /** The one best length, instead of min and max. */
    target: z.number().positive().optional(),
    /** Distance from the band at which the reward is exp(-1/2); 0: it is 0 outside the band. */
    width: z.number().nonnegative().optional(),
  })
  .superRefine(({ min, max, target }, context) => {
    const issue = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (target !== undefined && (min !== undefined || max !== undefined)) {
      issue('target', 'give a target, or min and max');
    } else if (target === undefined && min === undefined && max === undefined) {
      issue('min', 'give min, max or a target');
    } else if (min !== undefined && max !== undefined && min > max) {
      issue('min', `min (${min}) is above max (${max})`);
    }
  });

/**
 * 1 for a completion whose length is in a band (or equals a target), and exp(-(d / width)^2 / 2) at
 * a distance d from it. The default width is a quarter of the target; without a width, the reward
 * is 0 outside a band.
 *
 * @param countTokens required for the unit `tokens` if the inputs do not have their token counts
 */
export function lengthReward(
  spec: z.input<typeof lengthSchema>,
  countTokens?: CountTokens,
): Reward {
  const { unit, min, max, target, width } = lengthSchema.parse(spec);
  const low = target ?? min ?? 0;
  const high = target ?? max ?? Number.POSITIVE_INFINITY;
  const slope = width ?? (target === undefined ? 0 : target / 4);
  const name = `length:${target === undefined ? `${min ?? ''}-${max ?? ''}` : `~${target}`}:${unit}`;
  return functionReward(name, ({ text, tokens }) => {
    const length = measure(text, unit, tokens, countTokens);
    const distance = Math.max(low - length, length - high, 0);
    const outside = slope > 0 ? Math.exp(-((distance / slope) ** 2) / 2) : 0;
    return { score: distance === 0 ? 1 : outside, aspects: { [unit]: length } };
  });
}

function measure(
  text: string,
  unit: 'characters' | 'words' | 'tokens',
  tokens: number | undefined,
  countTokens: CountTokens | undefined,
): number {
  if (unit === 'characters') return [...text].length;
  if (unit === 'words') return text.split(/\s+/).filter((word) => word !== '').length;
  if (tokens !== undefined) return tokens;
  if (!countTokens) {
    throw new Error('a length in tokens needs a tokenizer: use another unit, or name a model');
  }
  return countTokens(text);
}
