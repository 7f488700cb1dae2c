// What a run reports while it trains.
import type { WrittenProfile } from '../profiling/step-profiler.ts';
import type { JudgedLine } from '../runs/samples-log.ts';
import type { RunPlan } from './run-plan.ts';
import type { Metrics } from './training-task.ts';

/** What happens in training, for displays. */
export type TrainingEvent =
  /** Once, before the first step and all that is computed for it. */
  | { type: 'plan'; plan: RunPlan }
  | { type: 'start'; step: number; totalSteps: number }
  | { type: 'step'; step: number; totalSteps: number; metrics: Metrics }
  /** Samples of a rollout batch, before the first step on it. */
  | { type: 'samples'; step: number; samples: readonly JudgedLine[] }
  | { type: 'evaluation'; step: number; metrics: Metrics }
  | { type: 'checkpoint'; step: number; path: string }
  | ({ type: 'profile'; step: number } & WrittenProfile);
