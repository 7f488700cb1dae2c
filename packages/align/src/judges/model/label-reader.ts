// Reads probabilities of labels from a model. Questions that are asked at the same time share a
// pass, and what they start with.
import { setImmediate } from 'node:timers/promises';
import { BatchBuilder, type LanguageModel, type Role } from '@keel/model';
import { inTurns, noGradSteps, tidySteps } from '@keel/torch';
import { type LabelTokens, labelProbabilities } from './label-tokens.ts';
import { addShared } from './shared-prefixes.ts';

/**
 * Scored tokens of a pass are a multiple of this: in float32, the head's product of another number
 * of rows can differ in the last bit, and a verdict must not depend on what else is asked.
 */
const SCORED_ROWS = 256;

interface Waiting {
  tokens: LabelTokens;
  labels: number;
  signal: AbortSignal | undefined;
  done(probabilities: number[]): void;
  fail(error: unknown): void;
}

export interface LabelReaderOptions {
  /** Largest number of questions in a pass. */
  batchSize: number;
  /** Largest number of tokens in a pass, before shared ones are counted once (default: 8192). */
  batchTokens?: number;
}

export class LabelReader {
  readonly #model: LanguageModel;
  readonly #role: Role;
  readonly #options: LabelReaderOptions;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;

  constructor(model: LanguageModel, role: Role, options: LabelReaderOptions) {
    this.#model = model;
    this.#role = role;
    this.#options = options;
  }

  /**
   * Probability of each label, out of everything that the model could say.
   * @param labels their number
   * @throws the signal's reason once it is aborted
   */
  read(tokens: LabelTokens, labels: number, signal?: AbortSignal): Promise<number[]> {
    const { promise, resolve: done, reject: fail } = Promise.withResolvers<number[]>();
    this.#waiting.push({ tokens, labels, signal, done, fail });
    this.#running ??= this.#run();
    return promise;
  }

  /** Resolves when no pass is running. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // All questions of this turn of the event loop share the pass.
    await setImmediate();
    while (this.#waiting.length > 0) {
      const batch = this.#next();
      if (batch.length === 0) continue;
      try {
        const found = await this.#pass(batch);
        batch.forEach(({ done }, index) => {
          done(found[index]!);
        });
      } catch (error) {
        for (const { fail } of batch) fail(error);
      }
      // Callers ask their next questions before the next pass starts.
      await setImmediate();
    }
    this.#running = null;
  }

  /** The questions of the next pass; those that are no longer wanted are rejected. */
  #next(): Waiting[] {
    const { batchSize, batchTokens = 8192 } = this.#options;
    const batch: Waiting[] = [];
    let tokens = 0;
    while (batch.length < batchSize) {
      const [first] = this.#waiting;
      if (first === undefined) break;
      if (first.signal?.aborted) {
        first.fail(first.signal.reason);
        this.#waiting.shift();
        continue;
      }
      tokens += first.tokens.prompt.length;
      if (batch.length > 0 && tokens > batchTokens) break;
      batch.push(this.#waiting.shift()!);
    }
    return batch;
  }

  async #pass(batch: readonly Waiting[]): Promise<number[][]> {
    const builder = new BatchBuilder();
    const ends = addShared(
      builder,
      batch.map(({ tokens }) => tokens.prompt),
    );
    const rows: number[] = [];
    const targets: number[] = [];
    batch.forEach(({ tokens: { sequences } }, index) => {
      const { segment, row } = ends[index]!;
      for (const { tokens } of sequences) {
        const start = builder.size;
        const before = tokens.slice(0, -1);
        if (before.length > 0) builder.add(before, segment);
        tokens.forEach((token, at) => {
          rows.push(at === 0 ? row : start + at - 1);
          targets.push(token);
        });
      }
    });
    const size = Math.ceil(rows.length / SCORED_ROWS) * SCORED_ROWS;
    const scored = { rows: new Int32Array(size), targets: new Int32Array(size) };
    scored.rows.set(rows);
    scored.targets.set(targets);
    const steps = this.#model.scoreTokensSteps(builder.build(), scored);
    const found = await inTurns(noGradSteps(tidySteps(this.#model.asSteps(this.#role, steps))));
    const values = found.logprobs.toArray() as number[]; // [N]
    for (const tensor of [found.logprobs, found.entropy, found.argmax]) tensor.dispose();
    let next = 0;
    return batch.map(({ tokens: { sequences }, labels }) => {
      const whole = sequences.map(({ tokens }) => {
        const own = values.slice(next, next + tokens.length);
        next += tokens.length;
        return Math.exp(own.reduce((sum, value) => sum + value, 0));
      });
      return labelProbabilities(sequences, whole, labels);
    });
  }
}
