// Samples the policy's answers to a batch of prompts, with the same weights that are trained.
import { createHash } from 'node:crypto';
import { generateAll, type LanguageModel, type Role } from '@keel/model';
import type { AnswerConstraints } from '../batching/answer-constraints.ts';
import { inShares, shareCount } from '../sharing/in-shares.ts';
import { rangesOf } from '../sharing/share-out.ts';
import type { PlacedPrompt } from './prompt-source.ts';

export interface SamplingOptions {
  samplesPerPrompt: number;
  /** Maximum answer length, in tokens. */
  maxNewTokens: number;
  /** The end token is masked until then (default: 0). */
  minNewTokens?: number;
  /** 0: the most likely token. */
  temperature: number;
  topK: number | null;
  topP: number;
  /** Number of answers sampled at the same time. */
  batchSize: number;
  /** What the answers match (default: null, anything). */
  constraints?: AnswerConstraints | null;
}

export interface SampledRollouts {
  prompts: readonly PlacedPrompt[];
  /** [S], prompt after prompt. */
  samples: Sample[];
}

export interface Sample {
  /** Index of its prompt. */
  group: number;
  /** Includes the end token if it has one. */
  tokens: number[];
  text: string;
  /** Whether it ended with an end token, rather than being truncated. */
  ended: boolean;
  /** The sampler's, one per token. */
  logprobs: number[];
}

/**
 * @param role that samples
 * @param seed the same seed, prompts and weights give the same answers
 * @param signal ends every answer with the tokens it has so far
 */
export async function sampleRollouts(
  model: LanguageModel,
  role: Role,
  prompts: readonly PlacedPrompt[],
  { topK, constraints = null, ...sampling }: SamplingOptions,
  seed: number,
  signal?: AbortSignal,
): Promise<SampledRollouts> {
  const sample = async ([first, end]: readonly [number, number]): Promise<Sample[]> => {
    const tokens = prompts.slice(first, end).map((prompt) => prompt.tokens);
    const results = await generateAll(model, tokens, {
      ...sampling,
      ...(topK !== null && { topK }),
      ...(constraints && { promptConstraints: tokens.map((one) => constraints.of(one)) }),
      adapter: role,
      logprobs: true,
      seed,
      firstIndex: first,
      ...(signal && { signal }),
    });
    return results.map(
      ({ promptIndex, tokens: own, text, finishReason, logprobs }): Sample => ({
        group: first + promptIndex,
        tokens: own,
        text,
        ended: finishReason === 'stop',
        logprobs: logprobs!,
      }),
    );
  };
  const found = await inShares(rangesOf(prompts.length, shareCount()), sample);
  return { prompts, samples: found.flat() };
}

/** A separate seed for each rollout batch of a run, and for what else is sampled in it. */
export function rolloutSeed(
  seed: number,
  rollout: number | `held-out ${number}` | `reference ${string}` | `refresh ${number}`,
): number {
  const digest = createHash('sha256').update(`rollout ${seed} ${rollout}`).digest();
  // 48 bits: a number represents them exactly.
  return digest.readUIntBE(0, 6);
}
