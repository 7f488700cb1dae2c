// What an evaluation is asked for, and what it finds.
import type { TemplateOptions } from '@keel/align/config';
import type { Precision } from '@keel/model';
import type { Difference } from '../comparing/compare-entries.ts';
import type { TaskResult } from '../comparing/task-result.ts';
import type { GateResult } from '../gates/check-gates.ts';
import type { GateSpec } from '../gates/read-gates.ts';
import type { ReadTasks } from '../lm-eval/read-task.ts';
import type { Task } from '../tasks/task.ts';
import type { EvaluationEntry } from './entries.ts';

/** What is evaluated, on which suites. */
export interface EvaluationOptions extends TemplateOptions {
  /** The first one is the baseline of the others. */
  entries: readonly EvaluationEntry[];
  /** Files, or names of Keel's suites. */
  suites: readonly string[];
  /** Task files of lm-eval. */
  tasks: readonly string[];
  /** File of gates, or null. */
  gates: string | null;
  /** Only the first rows of every task; null: all. */
  limit: number | null;
  output: string;
  precision: Precision;
  device: string;
  /** Whether code in answers runs without a sandbox. */
  unsafeCode: boolean;
}

/** Tasks whose rows are read and checked, before a model is loaded. */
export interface EvaluationPlan {
  tasks: readonly Task[];
  groups: ReadTasks['groups'];
  gates: readonly GateSpec[];
}

/** An entry with its results. */
export interface EvaluatedEntry {
  entry: EvaluationEntry;
  results: readonly TaskResult[];
  /** Its results in lm-eval's form. */
  path: string;
  /** Against the first entry; empty for that. */
  differences: readonly Difference[];
}

/** The result of an evaluation. */
export interface Evaluation {
  entries: readonly EvaluatedEntry[];
  gates: readonly GateResult[];
  summary: string;
  report: string;
  /** What summary.json contains. */
  json: Readonly<Record<string, unknown>>;
  seconds: number;
}
