import type { Tensor } from '@keel/torch';

/** Numbers of a step or an evaluation, by TRL's names. */
export type Metrics = Record<string, number>;

/** What a task must remember to go on bit for bit: plain values and tensors by name. */
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
  /** Adds the gradient of one optimiser step to the parameters. */
  step(): Promise<Metrics>;
  /** Metrics on held-out rows, names without prefix; null where there are none. */
  evaluate(): Promise<Metrics | null>;
  /** Tokens seen since the run began. */
  readonly tokens: number;
  /**
   * Floating-point operations that the model's steps asked for since the process began
   * (`forwardFlops`); none: no mfu.
   */
  readonly flops?: number;
  /** Rows of the latest step, by their place in the data. */
  readonly rows: readonly number[];
  /** The tensors stay the task's own. */
  state(): TaskState;
  /** @throws Error when the state is not one that `restore` takes; changes nothing */
  check(state: TaskState): void;
  /** @throws Error as `check` does, before anything is changed */
  restore(state: TaskState): void;
}

/**
 * The loss, a gradient or a weight is NaN or infinite: the run stops, its last checkpoint stays.
 */
export class NonFiniteLossError extends Error {
  /**
   * Rows that gave it, by their place in the data: of the pass, or of the step where no pass is to
   * blame.
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
