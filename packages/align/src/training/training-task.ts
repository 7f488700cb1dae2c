import type { BatchValues } from '@keel/statistics';
import type { Tensor } from '@keel/torch';
import { shareError } from '../sharing/shared-error.ts';

/** Numbers of a step or an evaluation, by TRL's names. */
export type Metrics = Record<string, number>;

/** What a task needs to resume bit for bit: plain values and tensors by name. */
export interface TaskState {
  values: Record<string, unknown>;
  tensors: Map<string, Tensor>;
}

/** A task's state with that of a part of it; neither has names of the other. */
export const joinStates = (state: TaskState, part?: TaskState): TaskState => ({
  values: { ...state.values, ...part?.values },
  tensors: new Map([...state.tensors, ...(part?.tensors ?? [])]),
});

/** What a kind of training does in a step; the loop around it does everything else. */
export interface TrainingTask {
  /** Adds the gradient of one optimizer step to the parameters. */
  step(): Promise<Metrics>;
  /** Metrics on held-out rows, names without prefix; null where there are none. */
  evaluate(): Promise<Metrics | null>;
  /** The latest evaluation, batch by batch; absent if the task does not record it. */
  readonly heldOut?: BatchValues | null;
  /** Tokens since the start of the run. */
  readonly tokens: number;
  /**
   * Floating-point operations of the model's steps since the process started (`forwardFlops`);
   * absent: no mfu.
   */
  readonly flops?: number;
  /** Rows of the latest step, by their place in the data. */
  readonly rows: readonly number[];
  /** The task still owns the tensors. */
  state(): TaskState;
  /** @throws Error when `restore` does not take the state; changes nothing */
  check(state: TaskState): void;
  /** @throws Error as `check` does, before anything is changed */
  restore(state: TaskState): void;
}

/**
 * The loss, a gradient or a weight is NaN or infinite: the run stops; its last checkpoint stays.
 */
export class NonFiniteLossError extends Error {
  /**
   * Rows of the pass, by their place in the data; those of the step, where no single pass is at
   * fault.
   */
  readonly rows: readonly number[];
  /** Whether they are rows of the held-out data. */
  readonly heldOut: boolean;

  /** @param what "the loss is NaN" */
  constructor(what: string, rows: readonly number[], { heldOut = false } = {}) {
    super(
      `${what} on ${heldOut ? 'held-out ' : ''}rows ${rows.join(', ')} (counted from 0). The last checkpoint is kept. ` +
        'Look at these rows, lower --learning-rate, or try --precision fp32',
    );
    this.name = 'NonFiniteLossError';
    this.rows = rows;
    this.heldOut = heldOut;
  }
}

// The error of a pass is thrown in all processes that share the step.
shareError('NonFiniteLossError', ({ message, rows, heldOut }) =>
  Object.assign(new NonFiniteLossError('', rows as number[], { heldOut: heldOut as boolean }), {
    message,
  }),
);
