// What the policy is compared with on single answers, and what is known of it.
import type { LanguageModel, Role } from '@keel/model';
import { fromTypedArray } from '@keel/torch';
import type { PromptedAnswer } from '../batching/pack-answers.ts';
import type { TaskState } from '../training/training-task.ts';
import { KnownAnswers } from './known-answers.ts';

export interface AnswerReferenceParts {
  model: LanguageModel;
  role: Role;
  /** What other runs have computed of it, and will find of this one's. */
  others?: KnownAnswers | undefined;
  /**
   * It is the policy before its first step: it can be asked until then, and everything is kept in
   * `others`.
   */
  untilTrained?: boolean;
}

export class AnswerReference {
  readonly model: LanguageModel;
  readonly role: Role;
  readonly untilTrained: boolean;
  readonly #others: KnownAnswers | undefined;
  /** Of answers that come up again. */
  #own = new KnownAnswers();

  constructor({ model, role, others, untilTrained = false }: AnswerReferenceParts) {
    this.model = model;
    this.role = role;
    this.untilTrained = untilTrained;
    this.#others = others;
  }

  /** log p of each answer of a pass; undefined where one is not known. */
  known(answers: readonly PromptedAnswer[]): number[] | undefined {
    return this.#own.all(answers) ?? this.#others?.all(answers);
  }

  /** @param recurring whether these answers come up again in this run */
  add(answers: readonly PromptedAnswer[], values: readonly number[], recurring: boolean): void {
    answers.forEach((answer, at) => {
      if (recurring && !this.untilTrained) this.#own.add(answer, values[at]!);
      this.#others?.add(answer, values[at]!);
    });
  }

  /** What a checkpoint has of it. */
  state(): TaskState['tensors'] {
    if (this.#own.size === 0) return new Map();
    const { keys, values } = this.#own.entries();
    return new Map([
      ['reference', fromTypedArray(values)],
      ['reference_keys', fromTypedArray(keys)],
    ]);
  }

  /** @throws Error where keys and values are not as many */
  check({ tensors }: TaskState): KnownAnswers {
    const known = new KnownAnswers();
    const [keys, values] = [tensors.get('reference_keys'), tensors.get('reference')];
    if (keys && values) {
      known.addEntries(keys.toTypedArray() as Uint8Array, values.toTypedArray() as Float64Array);
    }
    return known;
  }

  restore(state: TaskState): void {
    this.#own = this.check(state);
  }
}
