import type { Tensor } from '@keel/torch';
import type { TokenConstraint } from '../constraints/constraint.ts';
import type { Decoder } from '../decoder.ts';
import type { StreamDecoder } from '../tokenizer/stream-decoder.ts';
import { type BiasOptions, checkBias, checkSampling, type SamplingOptions } from './sampling.ts';

/** The part of a tokenizer that generation needs. */
export interface GenerationTokenizer {
  readonly endOfTurnIds: Iterable<number>;
  streamDecoder(options?: { skipSpecialTokens?: boolean }): StreamDecoder;
}

/** The part of a model that generation needs. A LanguageModel has it. */
export interface GenerationModel {
  readonly decoder: Decoder;
  readonly tokenizer: GenerationTokenizer;
}

/** The sample that a token belongs to. */
export interface SampleName {
  /** Index in the prompts. */
  promptIndex: number;
  /** From 0 to samplesPerPrompt - 1. */
  sampleIndex: number;
}

/**
 * Changes the logits of one sample's next token; a logit of -Infinity rules a token out. Runs after
 * the repetition penalty, and before the constraint and the temperature. It must not hold on to the
 * tensor.
 * @param tokens the completion so far
 * @param logits [vocabulary] float32
 * @returns [vocabulary]
 */
export type LogitsProcessor = (
  tokens: readonly number[],
  logits: Tensor,
  sample: SampleName & { prompt: readonly number[] },
) => Tensor;

/** How much is generated, and how tokens are drawn. */
export interface GenerateOptions extends SamplingOptions, BiasOptions {
  /** Maximum number of tokens (default: 256). A sample also ends at the model's last position. */
  maxNewTokens?: number;
  /** Minimum number of tokens; tokens that end a sample are masked until then (default: 0). */
  minNewTokens?: number;
  /**
   * The same seed, prompt and indices give the same draws, whatever else is in the batch. From 0 to
   * 2^53 - 1 (default: 0).
   */
  seed?: number;
  /**
   * A seed for each prompt: its draws then depend neither on its index nor on the other prompts
   * (default: `seed` and the prompt's index).
   */
  promptSeeds?: readonly number[];
  /**
   * Index of the first prompt, where the prompts are a part of a longer list: the draws are then
   * those of the whole list (default: 0).
   */
  firstIndex?: number;
  /** Samples of a prompt share its computation and memory (default: 1). */
  samplesPerPrompt?: number;
  /** A sample ends where one of these starts in its text, even across token boundaries. */
  stopStrings?: readonly string[];
  /** Tokens that end a sample (default: the tokenizer's end-of-turn tokens). */
  stopTokenIds?: Iterable<number>;
  /** Adapter applied to the base; null or `reference` for the base alone (default: null). */
  adapter?: string | null;
  /** Number of samples in flight; when one ends, the next starts (default: 16). */
  batchSize?: number;
  /**
   * Maximum number of prompt tokens in one forward pass; a longer prompt gets its own pass
   * (default: 1024).
   */
  prefillTokens?: number;
  /**
   * Results and events include the log-probability of each token in the distribution that it was
   * drawn from.
   */
  logprobs?: boolean;
  /**
   * Results and events include each token's log-probability in the model's own distribution
   * (temperature 1, no penalties, no filters), and the k most likely tokens; null: neither
   * (default: null).
   */
  topLogprobs?: number | null;
  /** The same for the tokens of the prompt (default: null). */
  promptLogprobs?: number | null;
  /** Special tokens decode to no text (default: true). */
  skipSpecialTokens?: boolean;
  /**
   * What the text of each sample must match. Tokens that it does not allow are masked before the
   * temperature, so that at temperature 1 a token's probability is the model's, renormalised over
   * the allowed tokens. It must be compiled for the same vocabulary and the same tokens that end a
   * sample. A sample that reaches `maxNewTokens` is cut off in the middle. `minNewTokens` gives way
   * where the constraint allows nothing else but the end.
   */
  constraint?: TokenConstraint | null;
  /**
   * Near the limit of its length, a sample only gets tokens with which it can still match its
   * constraint as a whole, so that it is not cut off (default: false).
   */
  completeConstraint?: boolean;
  /** A constraint for each prompt, or null for none (default: `constraint`). */
  promptConstraints?: readonly (TokenConstraint | null)[];
  logitsProcessor?: LogitsProcessor;
  /** Ends all samples with the tokens that they have. */
  signal?: AbortSignal;
}

export interface CheckedOptions {
  sampling: Required<SamplingOptions>;
  bias: Required<BiasOptions>;
  maxNewTokens: number;
  minNewTokens: number;
  seed: number;
  promptSeeds: readonly number[] | null;
  firstIndex: number;
  samplesPerPrompt: number;
  stopStrings: readonly string[];
  stopTokenIds: ReadonlySet<number>;
  adapter: string | null;
  batchSize: number;
  prefillTokens: number;
  logprobs: boolean;
  topLogprobs: number | null;
  promptLogprobs: number | null;
  skipSpecialTokens: boolean;
  constraint: TokenConstraint | null;
  completeConstraint: boolean;
  promptConstraints: readonly (TokenConstraint | null)[] | null;
  logitsProcessor: LogitsProcessor | null;
  signal: AbortSignal | null;
}

/** Fills in defaults. @throws RangeError naming the option that is out of range */
export function checkOptions(
  options: GenerateOptions,
  tokenizer: GenerationTokenizer,
): CheckedOptions {
  const {
    maxNewTokens = 256,
    minNewTokens = 0,
    seed = 0,
    firstIndex = 0,
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
  if (!Number.isSafeInteger(firstIndex) || firstIndex < 0) {
    throw new RangeError(`firstIndex must be a whole number of 0 or more, got ${firstIndex}`);
  }
  if (stopStrings.includes(''))
    throw new RangeError(
      'stopStrings contains an empty string, which would end every sample at once',
    );
  const { topLogprobs = null, promptLogprobs = null } = options;
  for (const [name, count] of Object.entries({ topLogprobs, promptLogprobs })) {
    if (count !== null && (!Number.isSafeInteger(count) || count < 0)) {
      throw new RangeError(`${name} must be null or a whole number of at least 0, got ${count}`);
    }
  }
  return {
    sampling: checkSampling(options),
    bias: checkBias(options),
    maxNewTokens,
    minNewTokens,
    seed,
    promptSeeds: options.promptSeeds ?? null,
    firstIndex,
    samplesPerPrompt,
    stopStrings,
    stopTokenIds: new Set(options.stopTokenIds ?? tokenizer.endOfTurnIds),
    adapter: options.adapter === 'reference' ? null : (options.adapter ?? null),
    batchSize,
    prefillTokens,
    logprobs: options.logprobs ?? false,
    ...{ topLogprobs, promptLogprobs },
    skipSpecialTokens: options.skipSpecialTokens ?? true,
    constraint: options.constraint ?? null,
    completeConstraint: options.completeConstraint ?? false,
    promptConstraints: options.promptConstraints ?? null,
    logitsProcessor: options.logitsProcessor ?? null,
    signal: options.signal ?? null,
  };
}

/** @throws RangeError naming the prompt that the model cannot process */
export function checkPrompts(prompts: readonly (readonly number[])[], { config }: Decoder): void {
  for (const [index, prompt] of prompts.entries()) {
    if (prompt.length === 0)
      throw new RangeError(`prompt ${index} has no tokens: there is nothing to continue`);
    if (prompt.length > config.maxPositions) {
      throw new RangeError(
        `prompt ${index} has ${prompt.length} tokens, but the model supports at most ${config.maxPositions}. Shorten it`,
      );
    }
    const place = prompt.findIndex(
      (token) => !Number.isInteger(token) || token < 0 || token >= config.vocabularySize,
    );
    if (place >= 0) {
      throw new RangeError(
        `prompt ${index} has token ${prompt[place]} at index ${place}, but the model's tokens are 0 to ${config.vocabularySize - 1}`,
      );
    }
  }
}
