import type { Tensor } from '@keel/torch';
import type { Decoder } from '../decoder.ts';
import type { StreamDecoder } from '../tokenizer/stream-decoder.ts';
import { checkSampling, type SamplingOptions } from './sampling.ts';

/** The part of a tokenizer that generation needs. */
export interface GenerationTokenizer {
  readonly endOfTurnIds: Iterable<number>;
  streamDecoder(options?: { skipSpecialTokens?: boolean }): StreamDecoder;
}

/** What generates; a LanguageModel is one. */
export interface GenerationModel {
  readonly decoder: Decoder;
  readonly tokenizer: GenerationTokenizer;
}

/** Which sample a token is for. */
export interface SampleName {
  /** Index in the prompts. */
  promptIndex: number;
  /** From 0 to samplesPerPrompt - 1. */
  sampleIndex: number;
}

/**
 * Changes the logits of one sample's next token; a logit of -Infinity rules a token out. Runs after
 * the repetition penalty and before the temperature. It must not keep the tensor.
 * @param tokens the completion so far
 * @param logits [vocabulary] float32
 * @returns [vocabulary]
 */
export type LogitsProcessor = (
  tokens: readonly number[],
  logits: Tensor,
  sample: SampleName & { prompt: readonly number[] },
) => Tensor;

export interface GenerateOptions extends SamplingOptions {
  /** Default 256. A sample also ends where the model's positions do. */
  maxNewTokens?: number;
  /** No token that ends a sample is drawn before it has so many. Default 0. */
  minNewTokens?: number;
  /**
   * Same seed, prompt and indices: same draws, whatever else is in the batch. From 0 to 2^53 - 1;
   * default 0.
   */
  seed?: number;
  /** Default 1. They share their prompt's computation and memory. */
  samplesPerPrompt?: number;
  /** A sample ends where one of these begins in its text, across token borders too. */
  stopStrings?: readonly string[];
  /** Tokens that end a sample; default: the tokenizer's ends of turn. */
  stopTokenIds?: Iterable<number>;
  /** Adapter laid over the base; null (the default) or `reference` for the base alone. */
  adapter?: string | null;
  /** Samples in flight; as one ends, the next enters. Default 16. */
  batchSize?: number;
  /** Tokens of prompts in one forward pass; a longer prompt has one to itself. Default 1024. */
  prefillTokens?: number;
  /**
   * Results and events carry the log-probability of each token in the distribution it was drawn
   * from.
   */
  logprobs?: boolean;
  /** Special tokens give no text. Default true. */
  skipSpecialTokens?: boolean;
  logitsProcessor?: LogitsProcessor;
  /** Ends all samples with what they have. */
  signal?: AbortSignal;
}

export interface CheckedOptions {
  sampling: Required<SamplingOptions>;
  maxNewTokens: number;
  minNewTokens: number;
  seed: number;
  samplesPerPrompt: number;
  stopStrings: readonly string[];
  stopTokenIds: ReadonlySet<number>;
  adapter: string | null;
  batchSize: number;
  prefillTokens: number;
  logprobs: boolean;
  skipSpecialTokens: boolean;
  logitsProcessor: LogitsProcessor | null;
  signal: AbortSignal | null;
}

/** Defaults filled in. @throws RangeError naming the option that is out of its range */
export function checkOptions(
  options: GenerateOptions,
  tokenizer: GenerationTokenizer,
): CheckedOptions {
  const {
    maxNewTokens = 256,
    minNewTokens = 0,
    seed = 0,
    samplesPerPrompt = 1,
    stopStrings = [],
    batchSize = 16,
    prefillTokens = 1024,
  } = options;
  for (const [name, count] of Object.entries({
    maxNewTokens,
    samplesPerPrompt,
    batchSize,
    prefillTokens,
  })) {
    if (!Number.isSafeInteger(count) || count < 1)
      throw new RangeError(`${name} must be a whole number above 0, got ${count}`);
  }
  if (!Number.isSafeInteger(minNewTokens) || minNewTokens < 0 || minNewTokens > maxNewTokens) {
    throw new RangeError(
      `minNewTokens must be a whole number from 0 to maxNewTokens (${maxNewTokens}), got ${minNewTokens}`,
    );
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(
      `seed must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, got ${seed}`,
    );
  }
  if (stopStrings.includes(''))
    throw new RangeError('stopStrings holds an empty string: it would end every sample at once');
  return {
    sampling: checkSampling(options),
    maxNewTokens,
    minNewTokens,
    seed,
    samplesPerPrompt,
    stopStrings,
    stopTokenIds: new Set(options.stopTokenIds ?? tokenizer.endOfTurnIds),
    adapter: options.adapter === 'reference' ? null : (options.adapter ?? null),
    batchSize,
    prefillTokens,
    logprobs: options.logprobs ?? false,
    skipSpecialTokens: options.skipSpecialTokens ?? true,
    logitsProcessor: options.logitsProcessor ?? null,
    signal: options.signal ?? null,
  };
}

/** @throws RangeError naming the prompt that the model cannot take */
export function checkPrompts(prompts: readonly (readonly number[])[], { config }: Decoder): void {
  for (const [index, prompt] of prompts.entries()) {
    if (prompt.length === 0)
      throw new RangeError(`prompt ${index} has no tokens: there is nothing to continue`);
    if (prompt.length > config.maxPositions) {
      throw new RangeError(
        `prompt ${index} has ${prompt.length} tokens, and the model takes at most ${config.maxPositions}: shorten it`,
      );
    }
    const place = prompt.findIndex(
      (token) => !Number.isInteger(token) || token < 0 || token >= config.vocabularySize,
    );
    if (place >= 0) {
      throw new RangeError(
        `prompt ${index} holds ${prompt[place]} at place ${place}, and the model's tokens are 0 to ${config.vocabularySize - 1}`,
      );
    }
  }
}
