import type { StreamDecoder } from '../tokenizer/stream-decoder.ts';
import type { Draw } from './draw.ts';
import type { CachedRow } from './kv-cache.ts';
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
}

/**
 * The pieces of `text` in all of a sample's events make up its text. None contains a partial
 * character or the start of a stop string.
 */
export type GenerationEvent =
  | (SampleName & { type: 'token'; token: number; text: string; logprob?: number })
  | (SampleName & { type: 'done'; text: string; result: GenerationResult });

/** A sample in progress: its tokens, its cache row, and why it ends. */
export class Sequence implements SampleName {
  readonly promptIndex: number;
  readonly sampleIndex: number;
  readonly prompt: readonly number[];
  readonly tokens: number[] = [];
  /** Tokens of prompt and completion. */
  readonly seen: Set<number>;
  /** Its row in the cache, once it needs one. */
  row: CachedRow | null = null;
  readonly #logprobs: number[] = [];
  readonly #options: CheckedOptions;
  readonly #limit: number;
  readonly #decoder: StreamDecoder;
  readonly #stops: StopStrings;
  #text = '';
  #finish: FinishReason | null = null;

  constructor(
    name: SampleName,
    prompt: readonly number[],
    options: CheckedOptions,
    tokenizer: GenerationTokenizer,
    maxPositions: number,
  ) {
    this.promptIndex = name.promptIndex;
    this.sampleIndex = name.sampleIndex;
    this.prompt = prompt;
    this.seen = new Set(prompt);
    this.#options = options;
    // The last drawn token needs no position, because nothing follows it.
    this.#limit = Math.min(options.maxNewTokens, maxPositions - prompt.length + 1);
    this.#decoder = tokenizer.streamDecoder({ skipSpecialTokens: options.skipSpecialTokens });
    this.#stops = new StopStrings(options.stopStrings);
  }

  get finished(): boolean {
    return this.#finish !== null;
  }

  /** Adds the next token, and returns the resulting events. */
  accept({ token, logprob }: Draw): GenerationEvent[] {
    this.tokens.push(token);
    this.seen.add(token);
    this.#logprobs.push(logprob);
    let text = '';
    if (this.#options.stopTokenIds.has(token)) {
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
    if (this.#options.logprobs) event.logprob = logprob;
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
    const { promptIndex, sampleIndex, tokens } = this;
    const result: GenerationResult = {
      promptIndex,
      sampleIndex,
      tokens,
      text: this.#text,
      finishReason: this.#finish!,
    };
    if (this.#options.logprobs) result.logprobs = this.#logprobs;
    return { type: 'done', promptIndex, sampleIndex, text, result };
  }
}
