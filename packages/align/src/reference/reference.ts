// Log-probabilities of the reference, which methods compare the policy with.
import type { LanguageModel, Role } from '@keel/model';
import { fromTypedArray, phase, type Steps, type Tensor } from '@keel/torch';
import type { PackedAnswers } from '../batching/pack-answers.ts';
import type { Pass, Placed } from '../training/passes.ts';
import { type Metrics, NonFiniteLossError, type TaskState } from '../training/training-task.ts';
import { type MovingReference, withReference } from './moving-reference.ts';
import { type AnswerCache, RowCache } from './reference-cache.ts';

/** Of the A answers of a pass, in their order. */
export interface ReferenceLogprobs {
  /** [A]: log p(answer | prompt), summed over scored tokens */
  whole: number[];
  /** [A]: of each answer's first tokens alone, as many as its pair's shorter answer has */
  first: number[] | null;
  /** Whether they were computed now, and not cached. */
  computed: boolean;
}

/** What methods compare the policy with. Its log-probabilities are computed once, and cached. */
export interface Reference<Batch extends PackedAnswers> {
  /**
   * Computes what is not cached, in the pass itself.
   * @param options `recurring`: whether the pass's answers come up again in the run (default: true)
   * @throws NonFiniteLossError naming the rows whose log-probability is not finite
   */
  logprobs(
    pass: Pass<Placed, Batch>,
    options?: { recurring?: boolean },
  ): Promise<ReferenceLogprobs>;
  /** Caches what another process computed of a pass. */
  learn(
    pass: Pass<Placed, Batch>,
    found: ReferenceLogprobs | null,
    options?: { recurring?: boolean },
  ): void;
  /** After the gradient of an optimizer step. */
  endStep(): void;
  /** Its part of a task's state. */
  state(): TaskState;
  /** @throws Error where the state is that of another reference; changes nothing */
  check(state: TaskState): void;
  /** @throws Error as `check` does, before anything is changed */
  restore(state: TaskState): void;
}

/** How rows of a kind are scored under the reference. */
export interface RowScoring<Batch extends PackedAnswers> {
  /** Most answers of a row. */
  answers: number;
  /** Whether {@link ReferenceLogprobs.first} is computed. */
  firstTokens: boolean;
  /** Number of answers of each row of a batch. */
  counts(batch: Batch): readonly number[];
  /** In the role that is on, [A] each. */
  score(model: LanguageModel, batch: Batch): Steps<{ sums: Tensor; shared?: Tensor | null }>;
}

export interface RowReferenceParts<Batch extends PackedAnswers> {
  model: LanguageModel;
  /** Role of the model that is the reference (default: `reference`, the base alone). */
  role?: Role;
  scoring: RowScoring<Batch>;
  /** Number of rows of the training data, and of the held-out data. */
  rows: { training: number; heldOut: number };
  /** Cached by other runs with the same reference, which find those of this run in turn. */
  shared?: AnswerCache | undefined;
  /** Given where the reference follows the policy: its role is the reference's. */
  moving?: MovingReference | null;
}

/** A reference whose log-probabilities are cached by row: of pairs and of rankings. */
export class RowReference<Batch extends PackedAnswers> implements Reference<Batch> {
  readonly model: LanguageModel;
  readonly role: Role;
  readonly training: RowCache;
  readonly heldOut: RowCache;
  readonly #scoring: RowScoring<Batch>;
  readonly #shared: AnswerCache | undefined;
  readonly #moving: MovingReference | null;
  readonly #here = new Set<number>();

  constructor({ model, role, scoring, rows, shared, moving = null }: RowReferenceParts<Batch>) {
    const width = scoring.answers * (scoring.firstTokens ? 2 : 1);
    this.model = model;
    this.role = moving?.role ?? role ?? 'reference';
    this.training = new RowCache(rows.training, width);
    this.heldOut = new RowCache(rows.heldOut, width);
    this.#scoring = scoring;
    this.#shared = shared;
    this.#moving = moving;
  }

  /** Computes these training rows even where other runs have cached them. */
  computeHere(rows: readonly number[]): void {
    for (const row of rows) this.#here.add(row);
  }

  /** Before an optimizer step: a reference that follows the policy moves when it is due. */
  beginStep(): void {
    if (!this.#moving?.moveIfDue()) return;
    this.training.clear();
    this.heldOut.clear();
  }

  endStep(): void {
    this.#moving?.countStep();
  }

  metrics(): Metrics {
    return this.#moving === null ? {} : { 'reference/moves': this.#moving.moves };
  }

  logprobs(pass: Pass<Placed, Batch>): Promise<ReferenceLogprobs> {
    return phase('reference', () => this.#logprobs(pass));
  }

  async #logprobs(pass: Pass<Placed, Batch>): Promise<ReferenceLogprobs> {
    const { rows, batch, heldOut } = pass;
    const cache = heldOut ? this.heldOut : this.training;
    const cached = rows.every((row) => cache.has(row));
    const computed = cached ? false : await this.#fill(cache, pass);
    const { counts, firstTokens } = this.#scoring;
    const found = rows.map((row) => cache.get(row));
    const part = (index: 0 | 1): number[] =>
      counts(batch).flatMap((count, at) => found[at]!.slice(index * count, (index + 1) * count));
    return { whole: part(0), first: firstTokens ? part(1) : null, computed };
  }

  /** @returns whether the pass was computed, and not found in what other runs have cached */
  async #fill(cache: RowCache, pass: Pass<Placed, Batch>): Promise<boolean> {
    const { rows, batch, heldOut } = pass;
    const here = this.#scoring.firstTokens || (!heldOut && rows.some((row) => this.#here.has(row)));
    const shared = here ? undefined : this.#shared?.all(batch.answers);
    const { whole, first } =
      shared === undefined
        ? await pass.compute(this.model.asSteps(this.role, this.#score(batch)))
        : { whole: shared, first: [] };
    if (shared === undefined) {
      batch.answers.forEach((answer, at) => {
        this.#shared?.add(answer, whole[at]!);
      });
    }
    const found = this.#byRow(batch, whole, first);
    const broken = rows.filter((_, at) => !found[at]!.every(Number.isFinite));
    refuseNonFinite(broken, { heldOut });
    rows.forEach((row, at) => {
      cache.set(row, found[at]!);
    });
    return shared === undefined;
  }

  learn({ rows, batch, heldOut }: Pass<Placed, Batch>, found: ReferenceLogprobs | null): void {
    if (found === null) return;
    const cache = heldOut ? this.heldOut : this.training;
    const numbers = this.#byRow(batch, found.whole, found.first ?? []);
    rows.forEach((row, at) => {
      if (!cache.has(row)) cache.set(row, numbers[at]!);
    });
  }

  /** Of each row of a pass: its answers' log-probabilities, then those of their first tokens. */
  #byRow(batch: Batch, whole: readonly number[], first: readonly number[]): number[][] {
    let end = 0;
    return this.#scoring.counts(batch).map((count) => {
      const start = end;
      end += count;
      return [...whole.slice(start, end), ...first.slice(start, end)];
    });
  }

  *#score(batch: Batch): Steps<{ whole: number[]; first: number[] }> {
    const { sums, shared } = yield* this.#scoring.score(this.model, batch);
    return { whole: sums.toArray(), first: shared?.toArray() ?? [] };
  }

  state(): TaskState {
    const tensors = new Map([['reference', fromTypedArray(this.training.values)]]);
    return withReference({ values: {}, tensors }, this.#moving);
  }

  check({ values, tensors }: TaskState): void {
    const cached = tensors.get('reference');
    if (cached === undefined) {
      throw new Error('the saved state is of a run without a reference, and this run has one');
    }
    this.training.check(cached.toTypedArray() as Float32Array);
    this.#moving?.check(values.reference, tensors);
  }

  restore(state: TaskState): void {
    this.check(state);
    const { values, tensors } = state;
    this.training.restore(tensors.get('reference')!.toTypedArray() as Float32Array);
    this.#moving?.restore(values.reference, tensors);
  }
}

/** @throws NonFiniteLossError where there are such rows */
export function refuseNonFinite(rows: readonly number[], options: { heldOut: boolean }): void {
  if (rows.length === 0) return;
  throw new NonFiniteLossError("the reference's log-probability is not finite", rows, options);
}
