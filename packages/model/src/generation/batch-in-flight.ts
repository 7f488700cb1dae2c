// The samples that are generated together. Every method is one step, and leaves no tensors but the
// cache.
import { cat, fromTypedArray, noGrad, type Tensor, tidy } from '@keel/torch';
import { DecodeAttention } from './cached-attention.ts';
import { choose } from './choose.ts';
import { type DecodeBlocks, decodeBlocks } from './decode-blocks.ts';
import { KnownPrefixes, worthReusing } from './known-prefixes.ts';
import { KeyValueCache } from './kv-cache.ts';
import type { GenerationModel } from './options.ts';
import { prefill } from './prefill.ts';
import { type GenerationEvent, type Prompt, Sequence } from './sequence.ts';
import { type WaitingPrompt, WaitingPrompts } from './waiting-prompts.ts';

/** One step, without gradients. It leaves no tensors. */
const step = <T>(body: () => T): T => noGrad(() => tidy(body));

export interface BatchLimits {
  /** Number of samples in flight. */
  batchSize: number;
  /** Number of prompt tokens in one pass; a longer prompt gets its own pass. */
  prefillTokens: number;
  /** Number of prompt tokens that stay in the cache for later prompts; 0: none. */
  retainedTokens: number;
}

export class BatchInFlight {
  readonly #model: GenerationModel;
  readonly #limits: BatchLimits;
  readonly #cache: KeyValueCache;
  readonly #known: KnownPrefixes;
  readonly #waiting = new WaitingPrompts();
  readonly #device: string;
  /** By adapter; null: the blocks must be composed. */
  readonly #blocks = new Map<string | null, DecodeBlocks | null>();
  #live: Sequence[] = [];
  #reusedTokens = 0;

  constructor(model: GenerationModel, limits: BatchLimits) {
    const { config, weights, computeType } = model.decoder;
    this.#model = model;
    this.#limits = limits;
    this.#device = weights.embedding.device;
    this.#cache = new KeyValueCache({
      layers: config.layers.length,
      keyValueHeads: config.keyValueHeads,
      headSize: config.headSize,
      dtype: computeType,
      device: this.#device,
    });
    this.#known = new KnownPrefixes(this.#cache, limits.retainedTokens);
  }

  /** Adds a prompt, whose samples start as soon as there is space. */
  add(prompt: Prompt): void {
    this.#waiting.add(prompt);
  }

  get finished(): boolean {
    return this.#live.length === 0 && this.#waiting.count === 0;
  }
  /** Whether there is space for a waiting sample. */
  get hasPlace(): boolean {
    return this.#live.length < this.#limits.batchSize && this.#waiting.count > 0;
  }
  get hasLive(): boolean {
    return this.#live.length > 0;
  }
  /** What the batch holds: samples in flight and waiting, prompt tokens retained and reused. */
  get counts(): { live: number; waiting: number; retained: number; reused: number } {
    return {
      ...{ live: this.#live.length, waiting: this.#waiting.count },
      ...{ retained: this.#known.tokens, reused: this.#reusedTokens },
    };
  }

  /** Admits waiting samples: computes their prompts and draws their first tokens. */
  admit(): GenerationEvent[] {
    return step(() => {
      const { batchSize, prefillTokens } = this.#limits;
      const places = batchSize - this.#live.length;
      this.#cache.reservePrefixes(this.#waiting.tokensFor(places));
      const admissions = this.#waiting.next(places, prefillTokens, (prompt, pass) =>
        this.#costOf(prompt, pass),
      );
      const uncomputed = admissions
        .map(({ waiting }) => waiting)
        .filter(({ computed }) => computed === null);
      for (const [adapter, prompts] of Map.groupBy(uncomputed, adapterOf)) {
        this.#compute(prompts, adapter);
      }
      const all = admissions.flatMap(({ waiting, samples }) =>
        samples.map((sampleIndex) => ({ waiting, sampleIndex })),
      );
      const entering = all.map(({ waiting: { prompt, computed }, sampleIndex }) => {
        const sequence = this.#sequence(prompt, sampleIndex);
        sequence.promptLogprobs = computed!.promptLogprobs;
        return sequence;
      });
      const logits = cat(all.map(({ waiting }) => waiting.computed!.logits)); // [B, vocabulary]
      const choices = choose(this.#model, entering, logits);
      const events = entering.flatMap((sequence, index) => sequence.accept(choices[index]!));
      for (const [index, sequence] of entering.entries()) {
        if (sequence.finished) continue;
        const { prefix } = all[index]!.waiting.computed!;
        sequence.row = this.#cache.openRow(prefix, this.#expectedRows(entering.length));
        this.#live.push(sequence);
      }
      for (const waiting of this.#waiting.takeEmptied()) this.#forget(waiting);
      return events;
    });
  }

  /** Draws the next token of every sample in flight. */
  advance(): GenerationEvent[] {
    return step(() => {
      this.#cache.reserve(this.#expectedRows());
      const groups = [...Map.groupBy(this.#live, ({ options }) => options.adapter)];
      const live = groups.flatMap(([, sequences]) => sequences);
      const logits = groups.map(([adapter, sequences]) => this.#logits(sequences, adapter));
      const choices = choose(
        this.#model,
        live,
        logits.length === 1 ? logits[0]! : cat(logits), // [B, vocabulary]
      );
      const chosen = new Map(live.map((sequence, index) => [sequence, choices[index]!]));
      const events = this.#live.flatMap((sequence) => sequence.accept(chosen.get(sequence)!));
      this.#live = this.#live.filter((sequence) => {
        if (sequence.finished) this.#cache.closeRow(sequence.row!);
        return !sequence.finished;
      });
      return events;
    });
  }

  /** Ends samples with the tokens that they have (default: all). */
  abort(wanted: (prompt: Prompt) => boolean = () => true): GenerationEvent[] {
    const { prompts, samples } = this.#waiting.take(wanted);
    const begun = this.#live.filter(({ source }) => wanted(source));
    this.#live = this.#live.filter((sequence) => !begun.includes(sequence));
    for (const { row } of begun) this.#cache.closeRow(row!);
    for (const prompt of prompts) this.#forget(prompt);
    const unbegun = samples.map(({ prompt, sampleIndex }) => this.#sequence(prompt, sampleIndex));
    return [...begun, ...unbegun].map((one) => one.abort());
  }

  /** Releases what was computed with an adapter. None of its samples may run. */
  forgetAdapter(adapter: string): void {
    this.#known.forget(adapter);
    this.#blocks.get(adapter)?.dispose();
    this.#blocks.delete(adapter);
  }

  dispose(): void {
    for (const prompt of this.#waiting.take().prompts) this.#forget(prompt);
    this.#live = [];
    this.#cache.dispose();
    for (const blocks of this.#blocks.values()) blocks?.dispose();
    this.#blocks.clear();
  }

  #expectedRows(entering = 0): number {
    const samples = this.#live.length + entering + this.#waiting.count;
    return Math.min(this.#limits.batchSize, samples);
  }

  #sequence(prompt: Prompt, sampleIndex: number): Sequence {
    const { decoder, tokenizer } = this.#model;
    return new Sequence(prompt, sampleIndex, tokenizer, decoder.config.maxPositions);
  }

  /** Tokens to compute; null: it starts like a prompt of the pass, and reuses it in the next. */
  #costOf({ tokens, options }: Prompt, pass: readonly Prompt[]): number | null {
    if (this.#limits.retainedTokens === 0 || options.promptLogprobs !== null) return tokens.length;
    const known = this.#known.find(tokens, options.adapter)?.length ?? 0;
    const alike = pass.filter((other) => other.options.adapter === options.adapter);
    return alike.some((other) => worthReusing(other.tokens, tokens, known))
      ? null
      : tokens.length - known;
  }

  /** Computes prompts in one packed batch. */
  #compute(prompts: readonly WaitingPrompt[], adapter: string | null): void {
    const room = 2 * this.#limits.retainedTokens;
    const computing = prompts.map(({ prompt: { tokens, options } }) => {
      const { promptLogprobs } = options;
      const reused = promptLogprobs === null ? this.#known.find(tokens, adapter) : null;
      if (reused !== null) reused.prefix.users += 1;
      return { tokens, reused, promptLogprobs };
    });
    const placed = computing.map((one) => ({
      ...one,
      prefix: this.#cache.openPrefix(one.tokens.length, () => this.#known.evict(), room),
    }));
    const found = prefill(this.#model, placed, this.#cache, adapter);
    for (const [index, { tokens, prefix, reused }] of placed.entries()) {
      prompts[index]!.computed = { prefix, ...found[index]! };
      prompts[index]!.prompt.computed?.(reused?.length ?? 0);
      this.#known.add(tokens, adapter, prefix);
      if (reused === null) continue;
      this.#reusedTokens += reused.length;
      this.#cache.closePrefix(reused.prefix);
    }
  }

  /** Logits of the next token of samples with the same adapter: [B, vocabulary]. */
  #logits(sequences: readonly Sequence[], adapter: string | null): Tensor {
    const { decoder } = this.#model;
    let blocks = this.#blocks.get(adapter);
    if (blocks === undefined) {
      blocks = decodeBlocks(decoder, adapter);
      this.#blocks.set(adapter, blocks);
    }
    const rows = sequences.map((sequence) => sequence.row!);
    const last = BigInt64Array.from(sequences, ({ tokens }) => BigInt(tokens.at(-1)!));
    const tokens = fromTypedArray(last, [last.length], { device: this.#device }); // [B]
    const positions = Int32Array.from(rows, (row) => row.prefix.length + row.length);
    const attention = new DecodeAttention(rows, this.#cache, this.#device, blocks);
    const hidden = decoder.hidden(tokens, positions, attention, { adapter }); // [B, hidden]
    for (const row of rows) row.length += 1;
    return decoder.logits(hidden);
  }

  #forget({ computed }: WaitingPrompt): void {
    if (computed === null) return;
    computed.logits.dispose();
    this.#cache.closePrefix(computed.prefix);
  }
}

const adapterOf = ({ prompt }: WaitingPrompt): string | null => prompt.options.adapter;
