// Samples the policy's answers to a batch of prompts, with the same weights that are trained.
import { createHash } from 'node:crypto';
import { generateAll, type LanguageModel, type Role, type Tokenizer } from '@keel/model';
import type { AnswerConstraints } from '../batching/answer-constraints.ts';
import { inShares, shareCount } from '../sharing/in-shares.ts';
import { inSamplingShares } from '../sharing/sampling-shares.ts';
import { rangesOf } from '../sharing/share-out.ts';
import { workers } from '../sharing/workers.ts';
import type { PlacedPrompt } from './prompt-source.ts';
import type { ServedPolicy } from './servers/served-policy.ts';

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
  /** Version of the policy that sampled; absent without servers. */
  version?: number;
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
    const options = {
      ...sampling,
      ...(topK !== null && { topK }),
      ...(constraints && { promptConstraints: tokens.map((one) => constraints.of(one)) }),
      adapter: role,
      logprobs: true,
      seed,
      firstIndex: first,
      ...(signal && { signal }),
    };
    const results = await model.whole(() => generateAll(model, tokens, options));
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
  const found = await inSamplingShares(prompts.length, model.device, sample);
  return { prompts, samples: found.flat() };
}

/** Servers that sample instead of this process. */
export interface Serving {
  servers: ServedPolicy;
  /** Version of the role's weights. */
  version: number;
  /** A role that has the weights of this version (default: the role itself). */
  weights?: Role | undefined;
}

/**
 * Starts sampling on servers, with the weights as they are when this is called. All processes call
 * it together.
 * @returns a function that waits for the answers, in all processes together
 * @throws NoServerError, WrongServerError, and the signal's reason once it is aborted; so does the
 *   function
 */
export async function startRollouts(
  { tokenizer }: LanguageModel,
  role: Role,
  prompts: readonly PlacedPrompt[],
  sampling: SamplingOptions,
  seed: number,
  { servers, version, weights }: Serving,
  signal?: AbortSignal,
): Promise<() => Promise<SampledRollouts>> {
  const { samplesPerPrompt, maxNewTokens, minNewTokens = 0, temperature, topK, topP } = sampling;
  const how = { samplesPerPrompt, maxNewTokens, minNewTokens, temperature, topK, topP };
  const served = await servers.publish({ role, version, from: weights }, signal);
  const sample = async ([first, end]: readonly [number, number]): Promise<Sample[]> => {
    const asked = prompts
      .slice(first, end)
      .map(({ tokens }, at) => ({ tokens, index: first + at }));
    const answers = await servers.sample(asked, served, { sampling: how, seed }, signal);
    return answers.flatMap((samples, at) =>
      samples.map((one) => ({ group: first + at, ...one, text: textOf(one, tokenizer) })),
    );
  };
  const ranges = rangesOf(prompts.length, shareCount());
  const own = ranges[workers()?.rank ?? 0]!.map((range) => ({ range, found: sample(range) }));
  // They are waited for later.
  for (const { found } of own) found.catch(() => {});
  return async () => {
    try {
      const found = await inShares(
        ranges,
        (range) => own.find((one) => one.range === range)!.found,
      );
      return { prompts, samples: found.flat(), version };
    } finally {
      servers.release(served);
    }
  };
}

/** Text of an answer without its end token, as generation decodes it. */
function textOf({ tokens, ended }: { tokens: number[]; ended: boolean }, tokenizer: Tokenizer) {
  const decoder = tokenizer.streamDecoder({ skipSpecialTokens: true });
  const pieces = (ended ? tokens.slice(0, -1) : tokens).map((token) => decoder.push(token));
  return pieces.join('') + decoder.end();
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
