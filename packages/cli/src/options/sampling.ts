import { option } from '@keel/align/config';
import { z } from 'zod';

const group = 'Sampling';

/** Sampling options, with the meaning and the order of application that transformers uses. */
export const samplingShape = (defaults: { temperature: number; topP: number }) => ({
  maxNewTokens: option(z.number().int().min(1).default(256), {
    description: 'maximum answer length in tokens',
    group,
    value: 'tokens',
    common: true,
  }),
  minNewTokens: option(z.number().int().min(0).default(0), {
    description: 'minimum answer length in tokens; the end token is masked until then',
    group,
    value: 'tokens',
  }),
  temperature: option(z.number().min(0).default(defaults.temperature), {
    description: 'sampling temperature; higher is more varied; 0: always the most likely token',
    group,
    common: true,
  }),
  topK: option(z.number().int().min(0).default(0), {
    description: 'sample only from the k most likely tokens; 0: all',
    group,
    value: 'k',
  }),
  topP: option(z.number().gt(0).max(1).default(defaults.topP), {
    description: 'sample only from the most likely tokens that add up to this probability; 1: all',
    group,
    value: 'p',
  }),
  minP: option(z.number().min(0).max(1).default(0), {
    description:
      'sample only tokens whose probability is at least this share of the most likely one; 0: all',
    group,
    value: 'share',
  }),
  repetitionPenalty: option(z.number().positive().default(1), {
    description: 'above 1: tokens that already occurred become less likely',
    group,
    value: 'factor',
  }),
  stop: option(z.array(z.string().min(1)).min(1).nullable().default(null), {
    description: 'end an answer before the first of these texts',
    group,
    shownDefault: 'no texts',
    literal: true,
    commas: false,
  }),
  seed: option(z.number().int().min(0).default(42), {
    description: 'seed for sampling; the same seed and prompt give the same answer',
    group,
  }),
});

/** Adds an issue if the minimum length is above the maximum. */
export function checkAnswerLength(
  { minNewTokens, maxNewTokens }: { minNewTokens: number; maxNewTokens: number },
  add: (name: string, message: string) => void,
): void {
  if (minNewTokens <= maxNewTokens) return;
  add('minNewTokens', `expected at most --max-new-tokens (${maxNewTokens}), found ${minNewTokens}`);
}
