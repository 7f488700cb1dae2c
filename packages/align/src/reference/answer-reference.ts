// A reference whose log-probabilities are cached by answer: of single answers.
import type { LanguageModel, Role } from '@keel/model';
import { fromTypedArray, phase, type Steps } from '@keel/torch';
import type { PackedAnswers } from '../batching/pack-answers.ts';
import { scoreAnswersSteps } from '../rewards/head-scores.ts';
import type { Pass, Placed } from '../training/passes.ts';
import type { TaskState } from '../training/training-task.ts';
import { type Reference, type ReferenceLogprobs, refuseNonFinite } from './reference.ts';
import { AnswerCache } from './reference-cache.ts';

export interface AnswerReferenceParts {
  model: LanguageModel;
  role: Role;
  /** Cached by other runs with the same reference, which find those of this run in turn. */
  shared?: AnswerCache | undefined;
  /**
   * The reference is the policy before its first step: everything is computed before that, and
   * cached in `shared`.
   */
  untilTrained?: boolean;
}

export class AnswerReference implements Reference<PackedAnswers> {
  readonly #parts: AnswerReferenceParts;
  /** Answers that come up again. */
  #own = new AnswerCache();
  /** Whether the policy has made a step. */
  #trained = false;

  constructor(parts: AnswerReferenceParts) {
    this.#parts = parts;
  }

  logprobs(
    pass: Pass<Placed, PackedAnswers>,
    { recurring = true }: { recurring?: boolean } = {},
  ): Promise<ReferenceLogprobs> {
    return phase('reference', () => this.#logprobs(pass, recurring));
  }

  async #logprobs(
    pass: Pass<Placed, PackedAnswers>,
    recurring: boolean,
  ): Promise<ReferenceLogprobs> {
    const { model, role, shared, untilTrained = false } = this.#parts;
    const { batch, rows, heldOut } = pass;
    // In the first step the policy is the reference: computed in the same passes, both have the
    // same bits on every machine.
    const first = pass.training && !this.#trained;
    const cached = first ? undefined : (this.#own.all(batch.answers) ?? shared?.all(batch.answers));
    if (cached === undefined && this.#trained && untilTrained) {
      throw new Error('the reference of an answer was not computed before training');
    }
    const score = function* (): Steps<number[]> {
      const { sums } = yield* scoreAnswersSteps(model, batch, false);
      return sums.toArray();
    };
    const whole = cached ?? (await pass.compute(model.asSteps(role, score())));
    const broken = rows.filter((_, at) => !Number.isFinite(whole[at]!));
    refuseNonFinite(broken, { heldOut });
    const found = { whole, first: null, computed: cached === undefined };
    this.learn(pass, found, { recurring });
    return found;
  }

  learn(
    { batch }: Pass<Placed, PackedAnswers>,
    { whole }: ReferenceLogprobs,
    { recurring = true }: { recurring?: boolean } = {},
  ): void {
    const { shared, untilTrained = false } = this.#parts;
    batch.answers.forEach((answer, at) => {
      if (recurring && !untilTrained) this.#own.add(answer, whole[at]!);
      shared?.add(answer, whole[at]!);
    });
  }

  endStep(): void {
    this.#trained = true;
  }

  state(): TaskState {
    if (this.#own.size === 0) return { values: {}, tensors: new Map() };
    const { keys, values } = this.#own.entries();
    const tensors = new Map([
      ['reference', fromTypedArray(values)],
      ['reference_keys', fromTypedArray(keys)],
    ]);
    return { values: {}, tensors };
  }

  check(state: TaskState): void {
    readOwn(state);
  }

  restore(state: TaskState): void {
    this.#own = readOwn(state);
    this.#trained = (state.values.tokens as number) > 0;
  }
}

/** @throws Error where there are not as many keys as values */
function readOwn({ tensors }: TaskState): AnswerCache {
  const cache = new AnswerCache();
  const [keys, values] = [tensors.get('reference_keys'), tensors.get('reference')];
  if (keys && values) {
    cache.addEntries(keys.toTypedArray() as Uint8Array, values.toTypedArray() as Float64Array);
  }
  return cache;
}
