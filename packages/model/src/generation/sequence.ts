import type { ConstraintState } from '../constraints/constraint.ts';
import type { StreamDecoder } from '../tokenizer/stream-decoder.ts';
import type { Draw } from './draw.ts';
import type { CachedRow } from './kv-cache.ts';
import type { TokenLogprobs } from './model-logprobs.ts';
import type { CheckedOptions, GenerationTokenizer, SampleName } from './options.ts';
import { StopStrings } from './stop-strings.ts';

/**
 * stop: a stop token was drawn; length: it reached maxNewTokens or the model's last position;
 * stop-string: its text contains one; aborted: the signal ended it.
 */
export type FinishReason = 'stop' | 'length' | 'stop-string' | 'aborted';

/** A finished sample. */
export interface GenerationResult extends SampleName {
  /** All drawn tokens, including the stop token. */
  tokens: number[];
  /** Text without the stop token, cut where a stop string starts. */
  text: string;
  finishReason: FinishReason;
  /**
   * With the option `logprobs`: one for each token, in the distribution that it was drawn from; in
   * greedy decoding, in the model's own distribution.
   */
  logprobs?: number[];
  /** With the option `topLogprobs`: one for each token. */
  modelLogprobs?: TokenLogprobs[];
  /** With the option `promptLogprobs`: one for each token of the prompt; the first has none. */
  promptLogprobs?: (TokenLogprobs | null)[];
}

/**
 * The pieces of `text` in all of a sample's events make up its text. None contains a partial
 * character or the start of a stop string.
 */
export type GenerationEvent =
  | (SampleName & {
      type: 'token';
      token: number;
      text: string;
      logprob?: number;
      modelLogprobs?: TokenLogprobs;
    })
  | (SampleName & { type: 'done'; text: string; result: GenerationResult });

/** A prompt, how its samples are drawn, and the indices that their random numbers depend on. */
export interface Prompt {
  readonly promptIndex: number;
  readonly tokens: readonly number[];
  readonly options: CheckedOptions;
  readonly draws: { readonly seed: number; readonly promptIndex: number };
  /** Called when the prompt is computed, with the number of its tokens that were in the cache. */
  computed?(reused: number): void;
}

/** A drawn token, and what the model itself thinks of it if that was asked for. */
export type Choice = Draw & { modelLogprobs?: TokenLogprobs };

/** A sample in progress: its tokens, its cache row, and why it ends. */
export class Sequence implements SampleName {
  readonly source: Prompt;
  readonly promptIndex: number;
  readonly sampleIndex: number;
  readonly prompt: readonly number[];
  readonly tokens: number[] = [];
  /** Tokens of prompt and completion. */
  readonly seen: Set<number>;
  /** Where its text is in its constraint; null: it has none. */
  readonly constraint: ConstraintState | null;
  /** Its row in the cache, once it needs one. */
  row: CachedRow | null = null;
  promptLogprobs: (TokenLogprobs | null)[] | null = null;
  readonly #logprobs: number[] = [];
  readonly #modelLogprobs: TokenLogprobs[] = [];
  readonly #limit: number;
  readonly #decoder: StreamDecoder;
  readonly #stops: StopStrings;
  #text = '';
  #finish: FinishReason | null = null;

  constructor(
    source: Prompt,
    sampleIndex: number,
    tokenizer: GenerationTokenizer,
    maxPositions: number,
  ) {
    const { tokens, options } = source;
    this.source = source;
    this.promptIndex = source.promptIndex;
    this.sampleIndex = sampleIndex;
    this.prompt = tokens;
    this.seen = new Set(tokens);
    this.constraint = options.constraint?.start() ?? null;
    // The last drawn token needs no position, because nothing follows it.
    this.#limit = Math.min(options.maxNewTokens, maxPositions - tokens.length + 1);
    this.#decoder = tokenizer.streamDecoder({ skipSpecialTokens: options.skipSpecialTokens });
    this.#stops = new StopStrings(options.stopStrings);
  }

  get options(): CheckedOptions {
    return this.source.options;
  }
  /** How many tokens may still be drawn. */
  get left(): number {
    return this.#limit - this.tokens.length;
  }
  get finished(): boolean {
    return this.#finish !== null;
  }

  /** Adds the next token, and returns the resulting events. */
  accept({ token, logprob, modelLogprobs }: Choice): GenerationEvent[] {
    this.constraint?.accept(token);
    this.tokens.push(token);
    this.seen.add(token);
    this.#logprobs.push(logprob);
    if (modelLogprobs !== undefined) this.#modelLogprobs.push(modelLogprobs);
    let text = '';
    if (this.options.stopTokenIds.has(token)) {
      text = this.#end('stop');
    } else {
      const piece = this.#stops.push(this.#decoder.push(token));
      text = piece.text;
      if (piece.stopped) this.#finish = 'stop-string';
      else if (this.tokens.length >= this.#limit) text += this.#end('length');
    }
    this.#text += text;
    const { promptIndex, sampleIndex } = this;
    const event: GenerationEvent = { type: 'token', promptIndex, sampleIndex, token, text };
    if (this.options.logprobs) event.logprob = logprob;
    if (modelLogprobs !== undefined) event.modelLogprobs = modelLogprobs;
    return this.finished ? [event, this.#done('')] : [event];
  }

  abort(): GenerationEvent {
    const text = this.#end('aborted');
    this.#text += text;
    return this.#done(text);
  }

  /** @returns the text that was still held back */
  #end(reason: FinishReason): string {
    const { text, stopped } = this.#stops.push(this.#decoder.end());
    this.#finish = stopped ? 'stop-string' : reason;
    return stopped ? text : text + this.#stops.end();
  }

  #done(text: string): GenerationEvent {
    this.constraint?.dispose();
    const { promptIndex, sampleIndex, tokens } = this;
    const result: GenerationResult = {
      promptIndex,
      sampleIndex,
      tokens,
      text: this.#text,
      finishReason: this.#finish!,
    };
    if (this.options.logprobs) result.logprobs = this.#logprobs;
    if (this.options.topLogprobs !== null) result.modelLogprobs = this.#modelLogprobs;
    if (this.promptLogprobs !== null) result.promptLogprobs = this.promptLogprobs;
    return { type: 'done', promptIndex, sampleIndex, text, result };
  }
}
