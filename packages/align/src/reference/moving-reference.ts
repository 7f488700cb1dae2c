// A reference that follows the policy: the soft and the hard update of TR-DPO (Gorbatovski et al.
// 2024, arXiv:2404.09656), and iterative DPO, where the reference of a round is the policy at the
// end of the round before. The paper mixes whole weights. Here A and B of the adapter are mixed
// separately, so that the mixture has the same rank: where A has changed too, B A differs from the
// paper's.
import { copyAdapter, type LanguageModel, mixAdapter, type Role } from '@keel/model';
import type { Tensor } from '@keel/torch';
import type { TaskState } from '../training/training-task.ts';

export interface MovingReferenceOptions {
  /** Optimizer steps from one move to the next. */
  steps: number;
  /** Weight of the policy in a move, above 0 and at most 1: the paper's alpha. */
  mix: number;
}

/** The options of a moving reference; null where none is asked for. */
export const movingOptions = (options: {
  referenceSyncSteps: number | null;
  referenceMix: number;
}): MovingReferenceOptions | null =>
  options.referenceSyncSteps === null
    ? null
    : { steps: options.referenceSyncSteps, mix: options.referenceMix };

const PREFIX = 'moving-reference/';

/**
 * A second, frozen copy of the policy's adapter. It starts as the policy, that is, as the model
 * before training.
 */
export class MovingReference {
  readonly role: Role = 'moving-reference';
  readonly #model: LanguageModel;
  readonly #policy: Role;
  readonly #options: MovingReferenceOptions;
  readonly #tensors: Map<string, Tensor>;
  #steps = 0;
  #movedAt = 0;
  #moves = 0;

  /** @param policy role of its adapter. @throws RangeError where that is the base itself */
  constructor(model: LanguageModel, policy: Role, options: MovingReferenceOptions) {
    this.#model = model;
    this.#policy = policy;
    this.#options = options;
    this.#tensors = copyAdapter(model.decoder, policy, this.role);
  }

  /** Number of its moves. */
  get moves(): number {
    return this.#moves;
  }

  /** After the gradient of an optimizer step. */
  countStep(): void {
    this.#steps += 1;
  }

  /**
   * Before anything is computed with it: the optimizer has made the counted steps.
   * @returns whether it moved
   */
  moveIfDue(): boolean {
    const { steps, mix } = this.#options;
    if (this.#steps - this.#movedAt < steps) return false;
    mixAdapter(this.#model.decoder, this.#policy, this.role, mix);
    this.#movedAt = this.#steps;
    this.#moves += 1;
    return true;
  }

  state(): TaskState {
    return {
      values: { steps: this.#steps, movedAt: this.#movedAt, moves: this.#moves },
      tensors: new Map([...this.#tensors].map(([key, tensor]) => [PREFIX + key, tensor])),
    };
  }

  /** @throws Error where the state has no such reference, or one of another adapter */
  check(values: unknown, tensors: ReadonlyMap<string, Tensor>): void {
    const { steps, movedAt, moves } = (values ?? {}) as Record<string, unknown>;
    const fits = [...this.#tensors].every(
      ([key, own]) => tensors.get(PREFIX + key)?.shape.join() === own.shape.join(),
    );
    if (fits && [steps, movedAt, moves].every(Number.isInteger)) return;
    throw new Error(
      'the saved state has no moving reference, or one of another adapter than the policy',
    );
  }

  /** @throws Error as `check` does */
  restore(values: unknown, tensors: ReadonlyMap<string, Tensor>): void {
    this.check(values, tensors);
    const { steps, movedAt, moves } = values as Record<'steps' | 'movedAt' | 'moves', number>;
    for (const [key, own] of this.#tensors) own.copy_(tensors.get(PREFIX + key)!);
    this.#steps = steps;
    this.#movedAt = movedAt;
    this.#moves = moves;
  }
}

/** A task's state with that of the moving reference, where there is one. */
export function withReference(state: TaskState, moving: MovingReference | null): TaskState {
  if (moving === null) return state;
  const own = moving.state();
  return {
    values: { ...state.values, reference: own.values },
    tensors: new Map([...state.tensors, ...own.tensors]),
  };
}
