import type { Precision } from '@keel/model';
import type { Task } from '../tasks/task.ts';

/** How tasks are opened. */
export interface OpenTaskOptions {
  /** Whether code in answers runs without a sandbox. */
  unsafeCode: boolean;
  /** Where the suite's file is, for modules and specs that it names. */
  folder: string;
  precision: Precision;
  device: string;
  /** Whether an evaluated model has implicit rewards, as an adapter has. */
  hasReference: boolean;
  /** Only the first rows; null: all, or the task's own limit. */
  limit: number | null;
}

/** What each type adds. */
export type TaskParts = Pick<Task, 'items' | 'metrics' | 'filters' | 'run'> & Partial<Task>;
