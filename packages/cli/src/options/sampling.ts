import { z } from 'zod';
import { option } from '../torch-free/align-config.ts';

const group = 'Sampling';

/** How tokens are drawn; the order and the meaning of the options are those of transformers. */
export const samplingShape = (defaults: { temperature: number; topP: number }) => ({
  maxNewTokens: option(z.number().int().min(1).default(256), {
    description: 'tokens of an answer at most',
    group,
  }),
  minNewTokens: option(z.number().int().min(0).default(0), {
    description: 'tokens of an answer at least: before, none that ends it is drawn',
    group,
  }),
  temperature: option(z.number().min(0).default(defaults.temperature), {
    description: 'higher is more varied; 0: always the likeliest token',
    group,
  }),
  topK: option(z.number().int().min(0).default(0), {
    description: 'draw from the k likeliest tokens only; 0: from all',
    group,
    value: 'k',
  }),
  topP: option(z.number().gt(0).max(1).default(defaults.topP), {
    description: 'draw from the likeliest tokens that together have this probability; 1: from all',
    group,
    value: 'p',
  }),
  minP: option(z.number().min(0).max(1).default(0), {
    description: 'draw from tokens at least this share as likely as the likeliest; 0: from all',
    group,
    value: 'share',
  }),
  repetitionPenalty: option(z.number().positive().default(1), {
    description: 'above 1: tokens that were there already become less likely',
    group,
    value: 'factor',
  }),
  stop: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
    description: 'an answer ends where one of these texts begins',
    group,
    value: 'text',
    literal: true,
    commas: false,
  }),
  seed: option(z.number().int().min(0).default(42), {
    description: 'the same seed and prompt give the same answer',
    group,
  }),
});

/** Adds an issue where an answer would have to be longer than it may be. */
export function checkAnswerLength(
  { minNewTokens, maxNewTokens }: { minNewTokens: number; maxNewTokens: number },
  add: (name: string, message: string) => void,
): void {
  if (minNewTokens <= maxNewTokens) return;
  add('minNewTokens', `it is more than the ${maxNewTokens} of --max-new-tokens: give fewer`);
}
