// What was sampled, as a rollout batch and as lines of samples.jsonl.
import type { Judgement } from './judge-samples.ts';
import { RolloutBatch } from './rollout-batch.ts';
import type { SampledRollouts } from './sample-rollouts.ts';
import type { SampleLine } from './samples-log.ts';

export function batchOfSamples(
  { prompts, samples }: SampledRollouts,
  number: number,
): RolloutBatch {
  const answers = {
    prompts: prompts.map(({ tokens }) => tokens),
    completions: samples.map(({ tokens }) => tokens),
    groups: samples.map(({ group }) => group),
  };
  const rows = prompts.map(({ row }) => row);
  return new RolloutBatch(
    number,
    rows,
    answers,
    samples.flatMap(({ logprobs }) => logprobs),
  );
}

/**
 * @param judged of the answers in the order of `sequences`; the reward of the others is null
 * @param kl [S]
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
