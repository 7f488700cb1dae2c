// A reference that follows the policy: TR-DPO (Gorbatovski et al. 2024, arXiv:2404.09656), its soft
// and its hard update, and iterative DPO, where a round's reference is what the round before ended
// in. The paper mixes whole weights. Here A and B of the adapter are mixed, each by itself, so that
// the mixture keeps its rank: where A has moved too, B A is not the paper's.
import { copyAdapter, type LanguageModel, mixAdapter, type Role } from '@keel/model';
import type { Tensor } from '@keel/torch';
import type { TaskState } from '../training/training-task.ts';

export interface MovingReferenceOptions {
  /** Optimiser steps from one move to the next. */
  steps: number;
  /** How much of the policy it takes in a move, above 0 and at most 1: the paper's alpha. */
  mix: number;
}

/** What was asked for, where a reference that moves was. */
export const movingOptions = (options: {
  referenceSyncSteps: number | null;
  referenceMix: number;
}): MovingReferenceOptions | null =>
  options.referenceSyncSteps === null
    ? null
    : { steps: options.referenceSyncSteps, mix: options.referenceMix };

const PREFIX = 'moving-reference/';

/**
 * A second, frozen copy of the policy's adapter. It begins as the policy does, and so as the model
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

  /** @param policy its adapter's role. @throws RangeError where that is the base itself */
  constructor(model: LanguageModel, policy: Role, options: MovingReferenceOptions) {
    this.#model = model;
    this.#policy = policy;
    this.#options = options;
    this.#tensors = copyAdapter(model.decoder, policy, this.role);
  }

  /** How often it has moved. */
  get moves(): number {
    return this.#moves;
  }

  /** After the gradient of an optimiser step. */
  countStep(): void {
    this.#steps += 1;
  }

  /**
   * Before anything is computed with it: the optimiser has made the steps that were counted.
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
      'the saved state has no reference that moves, or one of another adapter than the policy',
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

/** A task's state with what the moving reference must remember, where there is one. */
export function withReference(state: TaskState, moving: MovingReference | null): TaskState {
  if (moving === null) return state;
  const own = moving.state();
  return {
    values: { ...state.values, reference: own.values },
    tensors: new Map([...state.tensors, ...own.tensors]),
  };
}
