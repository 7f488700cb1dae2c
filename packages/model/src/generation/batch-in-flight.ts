// The samples that are generated together. Every method is one step, and leaves no tensors but the
// cache.
import { cat, fromTypedArray, keep, noGrad, ops, type Tensor, tidy } from '@keel/torch';
import { allFinite, refuseNonFiniteWeights } from '../loading/non-finite.ts';
import { BatchBuilder } from '../packed-batch.ts';
import { DecodeAttention, PrefillAttention } from './cached-attention.ts';
import { type DecodeBlocks, decodeBlocks } from './decode-blocks.ts';
import { type Draw, drawByUniform, drawGreedily } from './draw.ts';
import { KeyValueCache } from './kv-cache.ts';
import type { CheckedOptions, GenerationModel } from './options.ts';
import { uniformFor } from './philox.ts';
import { penaliseRepetition, ruleOut, shapeDistribution } from './sampling.ts';
import { type GenerationEvent, Sequence } from './sequence.ts';
import { type WaitingPrompt, WaitingPrompts } from './waiting-prompts.ts';

/** One step, without gradients. It leaves no tensors. */
const step = <T>(body: () => T): T => noGrad(() => tidy(body));

export class BatchInFlight {
  readonly #model: GenerationModel;
  readonly #options: CheckedOptions;
  readonly #cache: KeyValueCache;
  readonly #waiting: WaitingPrompts;
  readonly #device: string;
  readonly #blocks: DecodeBlocks | null;
  #live: Sequence[] = [];

  constructor(
    model: GenerationModel,
    prompts: readonly (readonly number[])[],
    options: CheckedOptions,
  ) {
    const { config, weights, computeType } = model.decoder;
    this.#model = model;
    this.#options = options;
    this.#device = weights.embedding.device;
    this.#blocks = decodeBlocks(model.decoder, options.adapter);
    this.#waiting = new WaitingPrompts(prompts, options.samplesPerPrompt);
    this.#cache = new KeyValueCache({
      layers: config.layers.length,
      keyValueHeads: config.keyValueHeads,
      headSize: config.headSize,
      dtype: computeType,
      device: this.#device,
    });
  }

  get finished(): boolean {
    return this.#live.length === 0 && this.#waiting.count === 0;
  }
  /** Whether there is space for a waiting sample. */
  get hasPlace(): boolean {
    return this.#live.length < this.#options.batchSize && this.#waiting.count > 0;
  }
  get hasLive(): boolean {
    return this.#live.length > 0;
  }

  /** Admits waiting samples: computes their prompts and draws their first tokens. */
  admit(): GenerationEvent[] {
    return step(() => {
      const { batchSize, prefillTokens } = this.#options;
      const places = batchSize - this.#live.length;
      this.#cache.reservePrefixes(this.#waiting.tokensFor(places));
      const admissions = this.#waiting.next(places, prefillTokens);
      this.#prefill(
        admissions.map(({ prompt }) => prompt).filter(({ computed }) => computed === null),
      );
      const entering = admissions.flatMap(({ prompt, samples }) =>
        samples.map((name) => this.#sequence(name, prompt.tokens)),
      );
      const logits = cat(
        admissions.flatMap(({ prompt, samples }) => samples.map(() => prompt.computed!.logits)),
      ); // [B, vocabulary]
      const draws = this.#choose(entering, logits);
      const events = entering.flatMap((sequence, index) => sequence.accept(draws[index]!));
      const prefixes = admissions.flatMap(({ prompt, samples }) =>
        samples.map(() => prompt.computed!.prefix),
      );
      for (const [index, sequence] of entering.entries()) {
        if (sequence.finished) continue;
        sequence.row = this.#cache.openRow(prefixes[index]!, this.#expectedRows(entering.length));
        this.#live.push(sequence);
      }
      for (const prompt of this.#waiting.takeEmptied()) this.#forget(prompt);
      return events;
    });
  }

  /** Draws the next token of every sample in flight. */
  advance(): GenerationEvent[] {
    return step(() => {
      const live = this.#live;
      this.#cache.reserve(this.#expectedRows());
      const rows = live.map((sequence) => sequence.row!);
      const tokens = this.#tokens(live.map((sequence) => sequence.tokens.at(-1)!)); // [B]
      const positions = Int32Array.from(rows, (row) => row.prefix.length + row.length);
      const attention = new DecodeAttention(rows, this.#cache, this.#device, this.#blocks);
      const { decoder } = this.#model;
      const hidden = decoder.hidden(tokens, positions, attention, {
        adapter: this.#options.adapter,
      }); // [B, hidden]
      for (const row of rows) row.length += 1;
      const draws = this.#choose(live, decoder.logits(hidden));
      const events = live.flatMap((sequence, index) => sequence.accept(draws[index]!));
      this.#live = live.filter((sequence) => {
        if (sequence.finished) this.#cache.closeRow(sequence.row!);
        return !sequence.finished;
      });
      return events;
    });
  }

  /** Ends every sample with the tokens that it has. */
  abort(): GenerationEvent[] {
    const { prompts, samples } = this.#waiting.takeAll();
    const begun = this.#live.splice(0);
    for (const { row } of begun) this.#cache.closeRow(row!);
    for (const prompt of prompts) this.#forget(prompt);
    return [...begun, ...samples.map((sample) => this.#sequence(sample, sample.tokens))].map(
      (one) => one.abort(),
    );
  }

  dispose(): void {
    for (const prompt of this.#waiting.takeAll().prompts) this.#forget(prompt);
    this.#live = [];
    this.#cache.dispose();
    this.#blocks?.dispose();
  }

  #expectedRows(entering = 0): number {
    return Math.min(this.#options.batchSize, this.#live.length + entering + this.#waiting.count);
  }

  #sequence(
    name: { promptIndex: number; sampleIndex: number },
    prompt: readonly number[],
  ): Sequence {
    const { decoder, tokenizer } = this.#model;
    return new Sequence(name, prompt, this.#options, tokenizer, decoder.config.maxPositions);
  }

  #tokens(tokens: ArrayLike<number>): Tensor {
    return fromTypedArray(BigInt64Array.from(Array.from(tokens, BigInt)), [tokens.length], {
      device: this.#device,
    });
  }

  /** Computes prompts in one packed batch. */
  #prefill(prompts: readonly WaitingPrompt[]): void {
    if (prompts.length === 0) return;
    const builder = new BatchBuilder();
    for (const { tokens } of prompts) builder.add(tokens);
    const batch = builder.build();
    const prefixes = prompts.map(({ tokens }) => this.#cache.openPrefix(tokens.length));
    const { decoder } = this.#model;
    const attention = new PrefillAttention(batch, prefixes, this.#cache);
    const last = this.#tokens(batch.segments.map(({ start, length }) => start + length - 1));
    const hidden = decoder.hidden(this.#tokens(batch.tokens), batch.positions, attention, {
      adapter: this.#options.adapter,
      wanted: last,
    }); // [prompts, hidden]
    const logits = decoder.logits(hidden); // [prompts, vocabulary]
    for (const [index, prompt] of prompts.entries()) {
      // A copy, since a view would hold the logits of all prompts.
      prompt.computed = {
        prefix: prefixes[index]!,
        logits: keep(logits.narrow(0, index, 1).clone()),
      };
    }
  }

  #forget({ computed }: WaitingPrompt): void {
    if (computed === null) return;
    computed.logits.dispose();
    this.#cache.closePrefix(computed.prefix);
  }

  /** @param logits [B, vocabulary] */
  #choose(sequences: readonly Sequence[], logits: Tensor): Draw[] {
    const { sampling, minNewTokens, stopTokenIds, logitsProcessor } = this.#options;
    let scores = logits.to('float32');
    if (sampling.repetitionPenalty !== 1) {
      scores = penaliseRepetition(
        scores,
        sequences.map(({ seen }) => seen),
        sampling.repetitionPenalty,
      );
    }
    const unfinished = sequences.flatMap(({ tokens }, row) =>
      tokens.length < minNewTokens ? [row] : [],
    );
    ruleOut(scores, unfinished, stopTokenIds);
    if (logitsProcessor !== null) {
      const processed = sequences.map((sequence, row) => {
        const one = logitsProcessor(sequence.tokens, scores.select(0, row), sequence);
        if (one.shape.length === 1 && one.dim(0) === scores.dim(1)) return one.to('float32');
        throw new RangeError(
          `the logits processor returned a tensor of shape [${one.shape}], expected [${scores.dim(1)}]`,
        );
      });
      scores = ops.stack(processed);
    }
    try {
      return this.#draw(sequences, scores);
    } catch (error) {
      // If the logits are unusable without a logits processor, the weights are at fault.
      if (logitsProcessor === null && !allFinite(logits)) {
        refuseNonFiniteWeights(this.#model.decoder, 'the model', this.#options.adapter);
      }
      throw error;
    } finally {
      this.#model.decoder.checkFiles();
    }
  }

  #draw(sequences: readonly Sequence[], scores: Tensor): Draw[] {
    const { sampling, seed, promptSeeds, firstIndex } = this.#options;
    if (sampling.temperature === 0) return drawGreedily(scores);
    const uniforms = sequences.map(({ promptIndex, sampleIndex, tokens }) =>
      promptSeeds === null
        ? uniformFor(seed, firstIndex + promptIndex, sampleIndex, tokens.length)
        : uniformFor(promptSeeds[promptIndex]!, 0, sampleIndex, tokens.length),
    );
    const whole = sampling.topK === 0 && sampling.topP === 1 && sampling.minP === 0;
    return whole
      ? drawByUniform(scores, uniforms, sampling.temperature)
      : drawByUniform(shapeDistribution(scores, sampling), uniforms);
  }
}
