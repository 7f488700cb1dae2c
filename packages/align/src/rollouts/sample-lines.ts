// Sampled answers as lines of samples.jsonl.

import type { SampleLine } from '../runs/samples-log.ts';
import type { Judgement } from './judge-samples.ts';
import type { SampledRollouts } from './sample-rollouts.ts';

/**
 * @param judged the answers in `sequences`, in that order; the reward of the others is null
 * @param kl [S], in nats
 */
export function sampleLines(
  { prompts, samples }: SampledRollouts,
  { scores, aspects }: Judgement,
  kl: Float64Array | null,
  sequences: readonly number[] = samples.map((_, sequence) => sequence),
): Omit<SampleLine, 'step'>[] {
  const places = new Map(sequences.map((sequence, at) => [sequence, at]));
  return samples.map(({ group, text, ended, tokens }, sequence) => {
    const at = places.get(sequence) ?? null;
    const parts = at === null ? {} : aspects[at]!;
    return {
      row: prompts[group]!.row,
      prompt: prompts[group]!.prompt,
      completion: text,
      reward: at === null ? null : scores[at]!,
      ...(Object.keys(parts).length > 0 && { aspects: parts }),
      kl: kl?.[sequence] ?? null,
      ended,
      tokens: tokens.length,
    };
  });
}
