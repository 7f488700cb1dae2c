// The interface of an online method: how it makes a rollout batch, and what an optimizer step on
// the batch does.

import type { KlPenalty } from '../../rollouts/kl-penalty.ts';
import type { PlacedPrompt } from '../../rollouts/prompt-source.ts';
import type { RolloutBatch } from '../../rollouts/rollout-batch.ts';
import type { MadeRollouts, RolloutWorker } from '../../rollouts/rollout-worker.ts';
import type { Training, Unit } from '../../rollouts/training.ts';
import type { TaskState } from '../../training/training-task.ts';
import type { UpdateTotals } from './update-totals.ts';

/** Optimizer steps on each rollout batch. */
export interface UpdateSchedule {
  /** Epochs over the batch. */
  epochs: number;
  /** Steps in each epoch. */
  minibatches: number;
  /**
   * The remaining steps are skipped once the KL from the sampling policy exceeds 1.5 times this.
   */
  targetKl: number | null;
}

/** An algorithm's state between batches, as plain values. */
export interface Remembered {
  state(): unknown;
  /** @throws Error if the state is not one that it saved */
  restore(state: never): void;
}

/** A model that is trained while rollout batches are made, such as D2PO's discriminator. */
export interface Learner {
  state(): TaskState;
  /** @throws Error if `restore` would refuse the state; changes nothing */
  check(values: unknown, tensors: TaskState['tensors']): void;
  restore(values: unknown, tensors: TaskState['tensors']): void;
}

export interface OnlineAlgorithm<Kind extends Training = Training> {
  readonly worker: RolloutWorker;
  readonly schedule: UpdateSchedule;
  /** By name; part of a checkpoint, like the worker's state. */
  readonly remembered?: Readonly<Record<string, Remembered>>;
  readonly learner?: Learner | null;
  /** Share of the prompts whose answers are compared (default: 1). */
  readonly comparedShare?: number;
  /** Why a batch may have nothing to train on, and what to do. */
  readonly emptyReason?: string;

  /**
   * Samples answers to the prompts, has them judged, and decides what is trained on.
   * @param number index of the batch in the run, from 0
   */
  rollOut(prompts: readonly PlacedPrompt[], number: number): Promise<MadeRollouts<Kind>>;
  /**
   * Adds the gradient of one optimizer step.
   * @param units of the batch that the step trains on
   */
  update(batch: RolloutBatch<Kind>, units: readonly Unit[]): Promise<UpdateTotals>;
  /** Whether steps on this batch train the policy (default: all do). */
  trainsPolicy?(batch: RolloutBatch<Kind>): boolean;
}

/** Options of the optimizer steps; not every method has them. */
export const scheduleOf = (options: {
  numIterations?: number;
  minibatches?: number;
  targetKl?: number | null;
}): UpdateSchedule => ({
  epochs: options.numIterations ?? 1,
  minibatches: options.minibatches ?? 1,
  targetKl: options.targetKl ?? null,
});

/** Optimizer steps on each rollout batch. */
export const stepsPerRollout = (options: Parameters<typeof scheduleOf>[0]): number => {
  const { epochs, minibatches } = scheduleOf(options);
  return epochs * minibatches;
};

/**
 * Whether the policy's log-probabilities are computed before the first step on a batch. In a single
 * step the policy is still the one that sampled, so the step's own log-probabilities are the same;
 * only a KL needs them earlier.
 */
export const needsOld = (
  kl: KlPenalty | null,
  options: Parameters<typeof scheduleOf>[0] = {},
): boolean => kl !== null || stepsPerRollout(options) > 1;
