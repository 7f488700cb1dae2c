// What a run reports while it trains.
import type { RunDataFacts } from '../checking/run-data-facts.ts';
import type { Finding } from '../health/finding.ts';
import type { WrittenProfile } from '../profiling/step-profiler.ts';
import type { AnswerLine } from '../runs/answers-log.ts';
import type { JudgedLine } from '../runs/samples-log.ts';
import type { RunPlan } from './run-plan.ts';
import type { Metrics } from './training-task.ts';

/** What happens in training, for displays. Steps are optimizer steps, counted from 1. */
export type TrainingEvent =
  /** Once, before anything is computed for the first step. */
  | { type: 'plan'; plan: RunPlan }
  /**
   * What is in the rows, before the first step. @property path the file that has the same; null in
   * a dry run
   */
  | { type: 'data'; facts: RunDataFacts; path: string | null }
  /** Training starts after this step: 0 for a new run. */
  | { type: 'start'; step: number; totalSteps: number }
  /** A step is done. Metrics have the names of metrics.jsonl. */
  | { type: 'step'; step: number; totalSteps: number; metrics: Metrics }
  /** A call of the reward takes long: reported every second from the second one on. */
  | { type: 'waiting'; for: 'reward'; seconds: number }
  /** Samples of a rollout batch, before the first step on it. */
  | { type: 'samples'; step: number; samples: readonly JudgedLine[] }
  /** Held-out rows are evaluated. The names of metrics begin with `eval_`. */
  | { type: 'evaluation'; step: number; metrics: Metrics }
  /** Suites are measured. The names of metrics are `suite/task/metric`. */
  | { type: 'suites'; step: number; metrics: Metrics }
  /** Greedy answers to the sample prompts, before the evaluation of the same step. */
  | { type: 'answers'; step: number; answers: readonly AnswerLine[] }
  /** Something is wrong with the run; each finding once, and once more if it becomes serious. */
  | { type: 'health'; step: number; finding: Finding }
  /** A checkpoint is saved. */
  | { type: 'checkpoint'; step: number; path: string }
  /** A trace of some steps is written (`profile`). */
  | ({ type: 'profile'; step: number } & WrittenProfile);
