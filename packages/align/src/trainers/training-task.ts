import type { Tensor } from '@keel/torch';

/** Numbers of a step or an evaluation, by TRL's names. */
export type Metrics = Record<string, number>;

/** What a task must remember to go on bit for bit: plain values and tensors by name. */
export interface TaskState {
  values: Record<string, unknown>;
  tensors: Map<string, Tensor>;
}

/** What a kind of training does in a step; the loop around it does everything else. */
export interface TrainingTask {
  /** Adds the gradient of one optimiser step to the parameters. */
  step(): Promise<Metrics>;
  /** Metrics on held-out rows, names without prefix; null where there are none. */
  evaluate(): Promise<Metrics | null>;
  /** Tokens seen since the run began. */
  readonly tokens: number;
  /** The tensors stay the task's own. */
  state(): TaskState;
  restore(state: TaskState): void;
}

/** The loss is NaN or infinite: the run stops, its last checkpoint stays. */
export class NonFiniteLossError extends Error {
  /** Rows of the pass that gave it, by their place in the data. */
  readonly rows: readonly number[];

  constructor(loss: number, rows: readonly number[]) {
    super(
      `the loss is ${loss} on rows ${rows.join(', ')} (counted from 0). The last checkpoint is kept. ` +
        'Look at these rows, lower --learning-rate, or try --precision fp32',
    );
    this.rows = rows;
  }
}
