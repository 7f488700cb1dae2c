// The loop every trainer shares: steps, schedule, clipping, evaluation, metrics, checkpoints,
// stopping.
import { setImmediate } from 'node:timers/promises';
import { PhaseClock, phase, type ScheduleName, scheduleFactor } from '@keel/torch';
import { parseProfileSteps } from '../config/profile-steps.ts';
import { machinePeak, raisedPeak } from '../machine/kept-peak.ts';
import { StepProfiler } from '../profiling/step-profiler.ts';
import { MetricsLog, type MetricsRow } from '../runs/metrics.ts';
import { PendingRows } from '../runs/pending-rows.ts';
import type { RunFolder } from '../runs/run-folder.ts';
import { TensorBoardWriter } from '../runs/tensorboard.ts';
import { StoppedElsewhere } from '../sharing/shared-error.ts';
import { workers } from '../sharing/workers.ts';
import {
  type CheckpointParts,
  CheckpointWriter,
  refuseBrokenWeights,
} from './checkpoint-writer.ts';
import { describeOtherPlan, type Schedule } from './other-plan.ts';
import type { Notice } from './run-data.ts';
import { RunFailedError } from './run-failed-error.ts';
import type { RunSuites } from './run-suites.ts';
import type { RunWatch } from './run-watch.ts';
import {
  type CapturedState,
  captureState,
  loadTrainingState,
  savedProgress,
} from './training-state.ts';
import { type Metrics, NonFiniteLossError } from './training-task.ts';
import { WeightUpdate } from './weight-update.ts';

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
  /**
   * File for a trace of some steps; empty: in the run folder; null or absent: no trace.
   */
  profile?: string | null;
  /** Which steps of this call, such as `2-4`. */
  profileSteps?: string;
}

export interface LoopParts extends CheckpointParts {
  /** Reports the machine's measured peak, and what differs from the run that is resumed. */
  notice?: Notice | undefined;
  /**
   * When it fires, the loop finishes its step, writes a checkpoint and ends. A task may end the
   * step at once by throwing the signal's reason: then the checkpoint is that of the step before.
   */
  signal?: AbortSignal | undefined;
  /** Numbers other than the learning rate that follow the planned steps. */
  schedules?: readonly Schedule[];
  /** Health, sample prompts and the best evaluation. */
  watch?: RunWatch;
  /** Measured at evaluations; null or absent: none. */
  suites?: RunSuites | null;
}

/**
 * Whatever ends the loop, the last whole state is saved first.
 * @returns the finished steps, and whether the signal stopped the loop
 * @throws NonFiniteLossError when the loss, the gradient or a weight is not finite; nothing of that
 *   step is saved
 * @throws RunFailedError for any other error
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
  const { task, parameters, optimiser, run, identity, onEvent, notice, signal, watch } = parts;
  const { suites = null } = parts;
  const { totalSteps, evalSteps, saveSteps } = options;
  const together = workers();
  using gradients = together && (await together.stepGradients(parameters, optimiser));
  /** Whether the watch has ended the run early. */
  let done = false;
  /** Whether the run stops now: in all processes, once one of them was told so. */
  const stops = async (): Promise<boolean> => {
    const own = { done: watch?.stops === true, told: signal?.aborted === true };
    const all = together === null ? [own] : await together.gather(() => own);
    done = all.some((one) => one.done);
    return done || all.some(({ told }) => told);
  };
  const resumed = run.resumed ? await run.latestCheckpoint() : null;
  const before = resumed === null ? undefined : savedProgress(resumed.path);
  let step = 0;
  if (resumed !== null) {
    loadTrainingState(resumed.path, { task, parameters, optimiser });
    step = resumed.step;
  }
  const schedules = [learningRateOf(options), ...(parts.schedules ?? [])];
  const told =
    before && describeOtherPlan(schedules, { step, before: before.totalSteps, now: totalSteps });
  if (told) notice?.(told);
  using log = MetricsLog.open(run.metricsPath, run.resumed ? (resumed?.step ?? -1) : null);
  watch?.start(resumed && { step, rows: MetricsLog.read(run.metricsPath) });
  using board = new TensorBoardWriter(run.path, { resumeFrom: resumed === null ? null : step });
  const lines = new PendingRows((row) => log.append(row));
  const events = new PendingRows((row) => board.metrics(row));
  const record = (row: MetricsRow): void => {
    lines.add(row);
    events.add(row);
    lines.write();
    events.write();
    watch?.row(row);
  };
  let evaluationDue = before?.evaluationDue ?? resumed === null;
  const evaluate = async (): Promise<void> => {
    evaluationDue = true;
    await watch?.beforeEvaluation(step);
    const found = await phase('evaluation', () => task.evaluate());
    const metrics = Object.fromEntries(
      Object.entries(found ?? {}).map(([name, value]) => [`eval_${name}`, value]),
    );
    const measured: Metrics = (await suites?.measure(step)) ?? {};
    const others = Object.keys(measured).length > 0;
    if (found !== null || others) {
      const heldOut = found === null ? null : (task.heldOut ?? null);
      await watch?.evaluated(step, { ...metrics, ...measured }, heldOut);
    }
    evaluationDue = false;
    if (found !== null || others) record({ step, ...metrics, ...measured });
    if (found !== null) onEvent({ type: 'evaluation', step, metrics });
    if (others) onEvent({ type: 'suites', step, metrics: measured });
  };
  const newest = resumed && { ...resumed, evaluationDue };
  const writer = new CheckpointWriter(parts, newest, options.saveTotalLimit);
  const save = async (captured?: CapturedState): Promise<void> => {
    // A checkpoint without the rows of its steps would lose them.
    lines.write();
    events.write();
    log.sync();
    board.sync();
    await writer.save(step, { totalSteps, evaluationDue }, captured);
    await watch?.checkpoint();
  };

  let peak =
    task.flops === undefined || identity === undefined
      ? null
      : machinePeak(identity.machine, notice);
  using profiler = profilerOf(options, run, clock, totalSteps - step);
  const tellProfile = (): void => {
    const written = profiler?.finish() ?? null;
    if (written !== null) onEvent({ type: 'profile', step, ...written });
  };
  /** The task's state before the current step; undefined between steps. */
  let captured: CapturedState | undefined;
  const update = new WeightUpdate({ task, parameters, optimiser, gradients, ...options });

  try {
    onEvent({ type: 'start', step, totalSteps });
    if (evaluationDue) await evaluate();
    while (step < totalSteps && !(await stops())) {
      captured = captureState(parts);
      clock.take();
      profiler?.beginStep(step + 1);
      const began = performance.now();
      const learningRate = schedules[0]!.at(step, totalSteps);
      const counted = { tokens: task.tokens, flops: task.flops ?? 0 };
      const metrics = await update.step(learningRate);
      metrics.learning_rate = learningRate;
      captured = undefined;
      step += 1;
      evaluationDue = step === totalSteps || (evalSteps !== null && step % evalSteps === 0);
      const seconds = (performance.now() - began) / 1000;
      profiler?.endStep(step);
      metrics.tokens_per_second = (task.tokens - counted.tokens) / seconds;
      if (peak !== null) {
        const reached = ((task.flops ?? 0) - counted.flops) / seconds;
        if (reached > peak.flops) peak = raisedPeak(identity!.machine, reached);
        metrics.mfu = reached / peak.flops;
      }
      for (const [name, spent] of clock.take()) metrics[`time/${name}`] = spent;
      if (step % options.logEvery === 0 || step === totalSteps) record({ step, ...metrics });
      onEvent({ type: 'step', step, totalSteps, metrics });
      if (evaluationDue) await evaluate();
      const alarmed = watch?.takeSaveDue() ?? false;
      if (alarmed || (saveSteps !== null && step % saveSteps === 0)) await save();
      if (profiler?.due) tellProfile();
      await setImmediate();
    }
    await refuseBrokenWeights(parts);
    const interrupted = step < totalSteps && !done;
    if (!interrupted) watch?.end();
    if (interrupted || saveSteps !== null) await save();
    tellProfile();
    return { step, interrupted };
  } catch (error) {
    const stopped = signal?.aborted && error === signal.reason;
    if (!update.torn && (stopped || error instanceof StoppedElsewhere)) {
      await save(captured);
      return { step, interrupted: true };
    }
    const whole = !update.torn && step > 0 && writer.failure === undefined;
    try {
      if (whole) await save(captured);
    } catch (failure) {
      writer.failure ??= failure;
    }
    if (error instanceof NonFiniteLossError) throw error;
    const changed = 'the optimizer had changed a part of the weights';
    const notSaved = update.torn ? changed : writer.failure;
    throw new RunFailedError(error, { step, checkpoint: writer.path, notSaved });
  }
}

const learningRateOf = ({ learningRate, scheduler, warmupSteps }: LoopOptions): Schedule => ({
  name: 'learning rate',
  at: (step, totalSteps) =>
    learningRate * scheduleFactor(scheduler, step, { warmupSteps, totalSteps }),
});

/**
 * @param left steps of this call; where they are fewer than those before the first to be profiled,
 *   the last one is
 */
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
