// A task that is ready to run, whatever its type, and what it finds of each row.
import type { LanguageModel, Role } from '@keel/model';
import type { Doc } from '../rows/docs.ts';
import type { Metric, MetricValue } from './metrics.ts';

/** What is evaluated: a model, or an adapter of it. */
export interface Subject {
  /** Its name in tables: `base`, `runs/first`. */
  name: string;
  model: LanguageModel;
  role: Role;
  /** The role that its implicit reward is measured against; null: it is the base itself. */
  reference: Role | null;
}

/** A row of a task, with what the model is asked. */
export interface Item<Request = unknown> {
  doc: Doc;
  request: Request;
}

/** What was found of one row. */
export interface Outcome {
  /** By the metric's id; null: it does not apply to this row. */
  values: Readonly<Record<string, MetricValue | null>>;
  /** What is right, as text. */
  target: string;
  /** The model's inputs, one list for each request. */
  arguments: readonly (readonly unknown[])[];
  /** What the model gave for each request. */
  responses: readonly unknown[];
  /** What each filter made of the responses, by the filter's name. */
  filtered: Readonly<Record<string, readonly unknown[]>>;
  /** The answer's category, for tasks with categories. */
  label?: string;
  /** Why, in words. */
  note?: string;
  /** The row's part of the data, such as RewardBench's subset. */
  group?: string;
  /** Whether the prompt was cut from the left, since it is longer than the model allows. */
  truncated?: boolean;
  /** Why the row could not be asked; it counts in no metric. */
  skipped?: string;
}

export interface RunHooks {
  signal: AbortSignal;
  /** Receives each item's outcome as soon as it is known, in any order. */
  done(item: Item, outcome: Outcome): void;
  /** The share of the work on items that are not done yet, for the progress bar: 0 to 1 each. */
  working?(share: number): void;
}

/** A task whose data is read and checked. */
export interface Task {
  name: string;
  /** Its type in a suite, or its `output_type` in lm-eval. */
  type: string;
  description: string;
  /** Its configuration, for the record and for the identity of its results. */
  config: Readonly<Record<string, unknown>>;
  items: readonly Item[];
  /** Rows before `limit`. */
  originalCount: number;
  shots: number;
  version: string | number | null;
  metrics: readonly Metric[];
  /** Names of filters, for lm-eval's keys; `none` alone by default. */
  filters: readonly string[];
  /** Identifies what else results depend on, such as a reward's or a judge's files. */
  identity?: string;
  /**
   * Evaluates items; each item's result depends on no other item.
   * @throws the signal's reason once it is aborted
   */
  run(items: readonly Item[], subject: Subject, hooks: RunHooks): Promise<void>;
}
