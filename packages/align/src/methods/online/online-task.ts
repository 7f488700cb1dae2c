// Online training: rollout batches, and optimizer steps on each. Independent of the method: an
// algorithm makes the batches and computes the gradients. The batch in progress is part of a
// checkpoint.
import { forwardFlops, type ModelSizes, modelSizes, totalFlops } from '@keel/model';
import { phase } from '@keel/torch';
import type { PackedRollouts } from '../../batching/pack-rollouts.ts';
import type { SamplerState } from '../../data/shuffle.ts';
import { exceedsKlTarget } from '../../objectives/online/policy-drift.ts';
import { moments } from '../../objectives/online/whitening.ts';
import { withReference } from '../../reference/moving-reference.ts';
import { minibatchesOf } from '../../rollouts/minibatches.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import type { PromptSource } from '../../rollouts/prompt-source.ts';
import { isReported } from '../../rollouts/reward-watch.ts';
import { RolloutBatch } from '../../rollouts/rollout-batch.ts';
import { answerMetrics } from '../../rollouts/rollout-metrics.ts';
import type { WorkerState } from '../../rollouts/rollout-worker.ts';
import { rolloutSeed, type Sample } from '../../rollouts/sample-rollouts.ts';
import type { Unit } from '../../rollouts/training.ts';
import {
  isJudged,
  type JudgedLine,
  type SampleLine,
  type SamplesLog,
} from '../../runs/samples-log.ts';
import { RowTask, type RowTaskParts } from '../../training/row-task.ts';
import type { Metrics, TaskState } from '../../training/training-task.ts';
import type { Refresher } from '../refresh/refresher.ts';
import type { PretrainingMix } from '../supervised/pretraining-mix.ts';
import { BatchAhead } from './batch-ahead.ts';
import type { OnlineAlgorithm } from './online-algorithm.ts';

export interface OnlineTaskParts
  extends RowTaskParts<PromptSource>,
    Omit<OnlineParts, 'version' | 'endsStep' | 'countForward' | 'countTraining' | 'countLearning'> {
  algorithm(parts: OnlineParts): OnlineAlgorithm;
  /** Rows mixed into every step that trains the policy (default: none). */
  pretraining?: PretrainingMix | null;
  /** Servers sample a batch while the one before is trained on (default: they do not). */
  samplesAhead?: boolean;
  /** Receives each batch's judged samples, before the first step that is trained on them. */
  onSamples?(step: number, samples: readonly JudgedLine[]): void;
  /** null: samples are not logged. */
  samples: SamplesLog | null;
  /** Trains the reward model between batches (default: it stays as it is). */
  refresher?: Refresher | null;
  /** Whether the reward was gamed, after the held-out answers are logged (default: unknown). */
  gaming?(): Metrics;
}

/** The run ends after this many rollout batches in a row without anything to train on. */
const MOST_EMPTY = 100;

export class OnlineTask extends RowTask<PromptSource> {
  readonly #parts: OnlineTaskParts;
  readonly #algorithm: OnlineAlgorithm;
  readonly #sizes: ModelSizes;
  readonly #ahead: BatchAhead | null;
  #batch: RolloutBatch | null = null;
  /** Units of each step on the batch. */
  #minibatches: Unit[][] = [];
  /** Number of these steps that are done. */
  #done = 0;
  #rollouts = 0;
  #steps = 0;
  /** Whether other rows are mixed into the current step. */
  #mixes = false;

  constructor(parts: OnlineTaskParts) {
    super(parts, 'an online run');
    this.#parts = parts;
    this.#sizes = modelSizes(parts.model.decoder);
    this.#algorithm = parts.algorithm({
      ...parts,
      version: () => this.#steps,
      endsStep: () => !this.#mixes,
      countForward: ({ packed, scored }) => {
        this.flops += totalFlops(forwardFlops(this.#sizes, packed, scored.rows.length));
      },
      countTraining: (pass) => this.#countTraining(pass),
      countLearning: ({ packed }) => this.count(packed, 0),
    });
    const { worker } = this.#algorithm;
    this.#ahead = parts.samplesAhead ? new BatchAhead({ ...parts, worker }) : null;
  }

  async step(): Promise<Metrics> {
    const { source, pretraining = null, movingReference: moving } = this.#parts;
    await this.#ahead?.startAgain();
    if (this.#batch === null || this.#done >= this.#minibatches.length) await this.#nextBatch();
    await this.#ahead?.start(this.#rollouts, this.#steps);
    const batch = this.#batch!;
    const units = this.#minibatches[this.#done]!;
    this.rows = batch.rollouts.rowsOf(units.flat());
    const trainsPolicy = this.#algorithm.trainsPolicy?.(batch) ?? true;
    this.#mixes = pretraining !== null && trainsPolicy;
    const totals = await this.#algorithm.update(batch, units);
    const mixed =
      pretraining !== null && this.#mixes
        ? await pretraining.learn(this.#parts, (pass) => this.#countTraining(pass))
        : null;
    this.#done += 1;
    this.#steps += 1;
    moving?.countStep();
    this.tokens += mixed?.tokens ?? 0;
    this.tokens += batch.rollouts.tokensOf(units.flat());
    const metrics: Metrics = {
      ...batch.metrics,
      ...totals.metrics(),
      ...(moving && { 'reference/moves': moving.moves }),
      epoch: this.#ahead?.before?.epoch ?? source.epoch,
      num_tokens: this.tokens,
    };
    if (mixed !== null) {
      const { loss } = mixed.metrics();
      metrics['loss/pretraining_avg'] = loss!;
      metrics.loss! += pretraining!.coefficient * loss!;
    }
    const { targetKl } = this.#algorithm.schedule;
    if (this.#done < this.#minibatches.length && exceedsKlTarget(totals.drift, targetKl)) {
      metrics['policy/steps_left_out'] = this.#minibatches.length - this.#done;
      this.#done = this.#minibatches.length;
    }
    return metrics;
  }

  /** Makes rollout batches until one has something to train on: an empty one has no step. */
  async #nextBatch(): Promise<void> {
    const { signal, notice, batchSize } = this.#parts;
    const { comparedShare = 1, emptyReason = 'no answer was chosen' } = this.#algorithm;
    // If only some prompts are compared, a batch without any is no cause for concern.
    const compared = Math.min(1, comparedShare * batchSize);
    for (let empty = 0; ; ) {
      await this.#rollOut();
      const { units, rollouts, metrics } = this.#batch!;
      const used = new Set(units.flat());
      const unused = rollouts.everySequence.filter((sequence) => !used.has(sequence));
      this.tokens += rollouts.tokensOf(unused);
      if (this.#minibatches.length > 0) {
        if (empty > 0) metrics['rollouts/without_steps'] = empty;
        return;
      }
      empty += 1;
      const what = `${empty} rollout batches in a row had nothing to train on: ${emptyReason}`;
      if (empty * compared >= MOST_EMPTY) throw new Error(what);
      if (compared === 1 && isReported(empty)) notice?.(what);
      signal?.throwIfAborted();
    }
  }

  async #rollOut(): Promise<void> {
    const { source, batchSize, samples, onSamples, movingReference, refresher } = this.#parts;
    // Between batches only: the reference's log-probabilities of a batch are computed once.
    movingReference?.moveIfDue();
    const refreshed = refresher?.isDue(this.#rollouts) ? await refresher.run() : null;
    const prompts = this.#ahead?.take() ?? (await phase('data', () => source.next(batchSize)));
    this.rows = prompts.map(({ row }) => row);
    const { batch, lines } = await this.#algorithm.rollOut(prompts, this.#rollouts);
    this.#rollouts += 1;
    refresher?.observe(lines);
    Object.assign(batch.metrics, refreshed);
    this.#begin(batch, 0);
    const step = this.#steps + 1;
    const sampled = lines.map((line) => ({ step, ...line }));
    samples?.append(sampled);
    const judged = sampled.filter(isJudged);
    if (judged.length > 0) onSamples?.(step, judged);
  }

  #begin(batch: RolloutBatch, done: number): void {
    const { epochs, minibatches } = this.#algorithm.schedule;
    const seed = rolloutSeed(this.#parts.seed, batch.number);
    const { units, rollouts } = batch;
    this.#batch = batch;
    this.#minibatches = minibatchesOf(units, rollouts.groups, { epochs, minibatches, seed });
    this.#done = done;
  }

  async evaluate(): Promise<Metrics | null> {
    const { evaluation, samples: log } = this.#parts;
    if (evaluation === null) return null;
    const { worker } = this.#algorithm;
    const samples: Sample[] = [];
    const judged = { scores: [] as number[], aspects: [] as Record<string, number>[] };
    const kl: number[] = [];
    const lines: SampleLine[] = [];
    let chunk = 0;
    // Twice as many as are sampled together, so that another answer can replace a finished one.
    for (const indices of this.evaluationRows(2 * worker.samplesInFlight)) {
      const prompts = await evaluation.read(indices);
      if (prompts.length === 0) continue;
      const found = await worker.judgeHeldOut(prompts, chunk++);
      samples.push(...found.samples);
      judged.scores.push(...found.judged.scores);
      judged.aspects.push(...found.judged.aspects);
      kl.push(...(found.kl ?? []));
      lines.push(...found.lines.map((line) => ({ step: this.#steps, ...line })));
    }
    if (samples.length === 0) evaluation.refuseNothingLeft();
    // All at once: an interrupted evaluation leaves nothing in the log.
    log?.append(lines);
    const { mean, variance } = moments(judged.scores);
    const golds = lines.flatMap(({ gold = null }) => gold ?? []);
    return {
      reward: mean,
      reward_std: Math.sqrt(variance),
      ...answerMetrics(samples, judged),
      ...(kl.length > 0 && { 'objective/kl': moments(kl).mean }),
      ...(golds.length > 0 && { gold: moments(golds).mean }),
      ...this.#parts.gaming?.(),
    };
  }

  #countTraining({ packed, scored }: PackedRollouts): void {
    this.count(packed, scored.rows.length);
  }

  override state(): TaskState {
    const state = super.state();
    const { movingReference, pretraining = null, refresher = null } = this.#parts;
    const { worker, remembered = {}, learner } = this.#algorithm;
    const left = this.#batch !== null && this.#done < this.#minibatches.length;
    const batch = left ? this.#batch!.state() : null;
    const learnt = learner?.state() ?? null;
    const refreshed = refresher?.state() ?? null;
    const ahead = this.#ahead?.state() ?? null;
    const own = {
      values: {
        ...state.values,
        ...(this.#ahead?.before && { sampler: this.#ahead.before.sampler }),
        ...ahead?.values,
        rollouts: this.#rollouts,
        steps: this.#steps,
        done: left ? this.#done : 0,
        worker: worker.state(),
        remembered: Object.fromEntries(
          Object.entries(remembered).map(([name, one]) => [name, one.state()]),
        ),
        pretraining: pretraining?.state() ?? null,
        learner: learnt?.values ?? null,
        refresh: refreshed?.values ?? null,
        batch: batch?.values ?? null,
      },
      tensors: new Map([
        ...(batch?.tensors ?? []),
        ...(learnt?.tensors ?? []),
        ...(refreshed?.tensors ?? []),
        ...(ahead?.tensors ?? []),
      ]),
    };
    return withReference(own, movingReference);
  }

  override check(state: TaskState): void {
    super.check(state);
    const { rollouts, steps, done, worker, remembered, learner, batch } = state.values;
    const whole = [rollouts, steps, done].every(Number.isInteger);
    const objects = [worker, remembered].every((one) => typeof one === 'object' && one !== null);
    if (!whole || !objects) throw new Error('the saved state is not one of an online run');
    if (batch !== null) this.#batchOf(state);
    this.#parts.movingReference?.check(state.values.reference, state.tensors);
    this.#algorithm.learner?.check(learner, state.tensors);
    this.#checkMix(state);
    const { refresh = null } = state.values;
    const { refresher = null } = this.#parts;
    if (refresher === null && refresh !== null) {
      throw new Error('this run was started with --refresh; resume it the same way');
    }
    refresher?.check(refresh, state.tensors);
    this.#ahead?.check(state);
  }

  #checkMix({ values: { pretraining: saved = null } }: TaskState): void {
    const mix = this.#parts.pretraining ?? null;
    if ((mix === null) !== (saved === null)) {
      const how = mix === null ? 'with' : 'without';
      throw new Error(`this run was started ${how} --pretraining-data; resume it the same way`);
    }
    mix?.check(saved as SamplerState);
  }

  override restore(state: TaskState): void {
    super.restore(state);
    const { rollouts, steps, done, batch, learner } = state.values;
    const { movingReference, pretraining, samples } = this.#parts;
    this.#algorithm.worker.restore(state.values.worker as WorkerState);
    const saved = state.values.remembered as Record<string, never>;
    for (const [name, one] of Object.entries(this.#algorithm.remembered ?? {})) {
      if (name in saved) one.restore(saved[name]!);
    }
    pretraining?.restore(state.values.pretraining as SamplerState);
    this.#rollouts = rollouts as number;
    this.#steps = steps as number;
    this.#batch = null;
    if (batch !== null) this.#begin(this.#batchOf(state), done as number);
    movingReference?.restore(state.values.reference, state.tensors);
    this.#algorithm.learner?.restore(learner, state.tensors);
    this.#parts.refresher?.restore(state.values.refresh, state.tensors);
    this.#ahead?.restore(state);
    samples?.goOnAfter(this.#steps);
  }

  #batchOf({ values, tensors }: TaskState): RolloutBatch {
    const state = { values: values.batch as TaskState['values'], tensors };
    return RolloutBatch.from(state, this.#parts.constraints);
  }
}
