// What a run reports while it trains.
import type { WrittenProfile } from '../profiling/step-profiler.ts';
import type { JudgedLine } from '../runs/samples-log.ts';
import type { Metrics } from './training-task.ts';

/** What happens in training, for displays. Steps are optimizer steps, counted from 1. */
export type TrainingEvent =
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
  /** A checkpoint is saved. */
  | { type: 'checkpoint'; step: number; path: string }
  /** A trace of some steps is written (`profile`). */
  | ({ type: 'profile'; step: number } & WrittenProfile);
