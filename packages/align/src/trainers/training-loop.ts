// The loop every trainer shares: steps, schedule, clipping, evaluation, metrics, checkpoints, stopping.
import { setImmediate } from 'node:timers/promises';
import {
  clipGradients,
  type Optimiser,
  PhaseClock,
  phase,
  type ScheduleName,
  scheduleFactor,
  type Tensor,
} from '@keel/torch';
import { machinePeak, raisedPeak } from '../machine/kept-peak.ts';
import { parseProfileSteps } from '../profiling/profile-steps.ts';
import { StepProfiler, type WrittenProfile } from '../profiling/step-profiler.ts';
import { MetricsLog } from '../runs/metrics.ts';
import type { RunFolder } from '../runs/run-folder.ts';
import { TensorBoardWriter } from '../runs/tensorboard.ts';
import type { JudgedLine } from './online/samples-log.ts';
import type { RunIdentity } from './run-identity.ts';
import { loadTrainingState, saveTrainingState } from './training-state.ts';
import { type Metrics, NonFiniteLossError, type TrainingTask } from './training-task.ts';

export interface LoopOptions {
  totalSteps: number;
  learningRate: number;
  scheduler: ScheduleName;
  warmupSteps: number;
  maxGradNorm: number | null;
  /** Steps between evaluations; null: before the first step and after the last. */
  evalSteps: number | null;
  saveSteps: number | null;
  saveTotalLimit: number | null;
  logEvery: number;
  /** File for a trace of some steps; empty: the run folder's own; null or left out: none is taken. */
  profile?: string | null;
  /** Which steps of this call, as `2-4`. */
  profileSteps?: string;
}

/** What happens while training, for whoever shows it. */
export type TrainingEvent =
  | { type: 'start'; step: number; totalSteps: number }
  | { type: 'step'; step: number; totalSteps: number; metrics: Metrics }
  /** Of a rollout batch, before the step that is trained on it first. */
  | { type: 'samples'; step: number; samples: readonly JudgedLine[] }
  | { type: 'evaluation'; step: number; metrics: Metrics }
  | { type: 'checkpoint'; step: number; path: string }
  | ({ type: 'profile'; step: number } & WrittenProfile);

export interface LoopParts {
  task: TrainingTask;
  parameters: Map<string, Tensor>;
  optimiser: Optimiser;
  run: RunFolder;
  /** What the run is made of: kept in its checkpoints. */
  identity?: RunIdentity;
  /** Writes what other tools load (adapter or model) into a checkpoint's folder. */
  saveWeights(folder: string): Promise<void> | void;
  onEvent(event: TrainingEvent): void;
  /** Is told what was measured of the machine. */
  notice?(text: string): void;
  /** When it fires, the step under way is finished, a checkpoint written, and the loop ends. */
  signal?: AbortSignal;
}

/**
 * @returns steps done, and whether the signal stopped it
 * @throws NonFiniteLossError when loss, gradient or weights are no numbers any more; nothing of that step is kept
 */
export async function trainingLoop(
  parts: LoopParts,
  options: LoopOptions,
): Promise<{ step: number; interrupted: boolean }> {
  const clock = new PhaseClock();
  return clock.run(() => runSteps(parts, options, clock));
}

async function runSteps(
  parts: LoopParts,
  options: LoopOptions,
  clock: PhaseClock,
): Promise<{ step: number; interrupted: boolean }> {
  const { task, parameters, optimiser, run, identity, onEvent, signal } = parts;
  const { totalSteps, evalSteps, saveSteps } = options;
  const resumed = run.resumed ? await run.latestCheckpoint() : null;
  let step = 0;
  if (resumed !== null) {
    loadTrainingState(resumed.path, { task, parameters, optimiser });
    step = resumed.step;
  }
  using log = MetricsLog.open(run.metricsPath, run.resumed ? (resumed?.step ?? -1) : null);
  using board = new TensorBoardWriter(run.path, { resumeFrom: resumed === null ? null : step });
  const record = (row: { step: number } & Metrics): void => {
    log.append(row);
    board.metrics(row);
  };
  const evaluate = async (): Promise<void> => {
    const found = await phase('evaluation', () => task.evaluate());
    if (found === null) return;
    const metrics = Object.fromEntries(
      Object.entries(found).map(([name, value]) => [`eval_${name}`, value]),
    );
    record({ step, ...metrics });
    onEvent({ type: 'evaluation', step, metrics });
  };
  let saved = resumed?.step ?? -1;
  const save = async (): Promise<void> => {
    if (saved === step) return;
    refuseBrokenWeights(parameters, task);
    log.sync();
    board.sync();
    const fill = async (folder: string): Promise<void> => {
      await parts.saveWeights(folder);
      saveTrainingState(folder, { task, parameters, optimiser, identity });
    };
    const { path } = await phase('checkpoint', () =>
      run.saveCheckpoint(step, fill, options.saveTotalLimit),
    );
    saved = step;
    onEvent({ type: 'checkpoint', step, path });
  };

  let peak =
    task.flops === undefined || identity === undefined
      ? null
      : machinePeak(identity.machine, parts.notice);
  using profiler = profilerOf(options, run, clock, totalSteps - step);
  const tellProfile = (): void => {
    const written = profiler?.finish() ?? null;
    if (written !== null) onEvent({ type: 'profile', step, ...written });
  };

  onEvent({ type: 'start', step, totalSteps });
  if (resumed === null) await evaluate();
  while (step < totalSteps && !signal?.aborted) {
    clock.take();
    profiler?.beginStep(step + 1);
    const began = performance.now();
    const learningRate =
      options.learningRate *
      scheduleFactor(options.scheduler, step, { warmupSteps: options.warmupSteps, totalSteps });
    const before = { tokens: task.tokens, flops: task.flops ?? 0 };
    const metrics = await task.step();
    phase('optimiser', () => {
      metrics.grad_norm = clipGradients(
        parameters.values(),
        options.maxGradNorm ?? Number.POSITIVE_INFINITY,
      );
      if (!Number.isFinite(metrics.grad_norm)) {
        throw new NonFiniteLossError(`the norm of the gradient is ${metrics.grad_norm}`, task.rows);
      }
      metrics.learning_rate = learningRate;
      optimiser.step(learningRate);
      optimiser.zeroGrad();
    });
    step += 1;
    const seconds = (performance.now() - began) / 1000;
    profiler?.endStep(step);
    metrics.tokens_per_second = (task.tokens - before.tokens) / seconds;
    if (peak !== null) {
      const reached = ((task.flops ?? 0) - before.flops) / seconds;
      if (reached > peak.flops) peak = raisedPeak(identity!.machine, reached);
      metrics.mfu = reached / peak.flops;
    }
    for (const [name, spent] of clock.take()) metrics[`time/${name}`] = spent;
    if (step % options.logEvery === 0 || step === totalSteps) record({ step, ...metrics });
    onEvent({ type: 'step', step, totalSteps, metrics });
    if (evalSteps !== null ? step % evalSteps === 0 || step === totalSteps : step === totalSteps)
      await evaluate();
    if (saveSteps !== null && step % saveSteps === 0) await save();
    if (profiler?.due) tellProfile();
    await setImmediate();
  }
  refuseBrokenWeights(parameters, task);
  const interrupted = step < totalSteps;
  if (interrupted || saveSteps !== null) await save();
  tellProfile();
  return { step, interrupted };
}

/** @param left steps of this call; where they are fewer than those before the first to be profiled, the last one is */
function profilerOf(
  { profile = null, profileSteps = '' }: LoopOptions,
  run: RunFolder,
  clock: PhaseClock,
  left: number,
): StepProfiler | null {
  const steps = parseProfileSteps(profileSteps);
  if (profile === null || steps === null) return null;
  const first = Math.max(1, Math.min(steps.first, left));
  return new StepProfiler(profile || run.profilePath, { ...steps, first }, clock);
}

/** A step may end in weights that are no numbers though its loss was one: such weights are never written. */
function refuseBrokenWeights(parameters: ReadonlyMap<string, Tensor>, task: TrainingTask): void {
  for (const [name, parameter] of parameters) {
    if (!parameter.isFinite())
      throw new NonFiniteLossError(`the weight ${name} is not finite after the step`, task.rows);
  }
}
