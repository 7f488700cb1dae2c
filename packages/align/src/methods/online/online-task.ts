// Online training: rollout batches, and optimiser steps on each. The batch under way is part of a
// checkpoint.
import { forwardFlops, type ModelSizes, modelSizes, totalFlops } from '@keel/model';
import { phase } from '@keel/torch';
import type { PackedRollouts } from '../../batching/pack-rollouts.ts';
import type { SamplerState } from '../../data/shuffle.ts';
import { exceedsKlTarget } from '../../objectives/online/policy-drift.ts';
import { moments } from '../../objectives/online/whitening.ts';
import { withReference } from '../../reference/moving-reference.ts';
import { minibatchesOf } from '../../rollouts/minibatches.ts';
import type { PromptSource } from '../../rollouts/prompt-source.ts';
import { isReported } from '../../rollouts/reward-watch.ts';
import { RolloutBatch, type Unit } from '../../rollouts/rollout-batch.ts';
import {
  RolloutMaker,
  type RolloutMakerParts,
  type RolloutMakerState,
} from '../../rollouts/rollout-maker.ts';
import { answerMetrics } from '../../rollouts/rollout-metrics.ts';
import { rolloutSeed, type Sample } from '../../rollouts/sample-rollouts.ts';
import {
  isJudged,
  type JudgedLine,
  type SampleLine,
  type SamplesLog,
} from '../../rollouts/samples-log.ts';
import { RowTask, type RowTaskParts } from '../../training/row-task.ts';
import type { Metrics, TaskState } from '../../training/training-task.ts';
import { withLabels } from '../d2po/labeller.ts';
import type { PretrainingMix } from '../supervised/pretraining-mix.ts';
import { updateOnPairs } from './pair-update.ts';
import { type PolicyUpdateParts, updatePolicy } from './policy-update.ts';

export interface OnlineTaskParts
  extends RowTaskParts<PromptSource>,
    Omit<RolloutMakerParts, 'count' | 'countLearning'>,
    Omit<PolicyUpdateParts, 'settings' | 'count'> {
  /** Mixed into every step in which the policy learns; none, unless told. */
  pretraining?: PretrainingMix | null;
  /**
   * Is told of each batch's samples that the reward judged, before the step that is trained on them
   * first.
   */
  onSamples?(step: number, samples: readonly JudgedLine[]): void;
  /** null: samples are not kept. */
  samples: SamplesLog | null;
}

/** Rollout batches in a row without anything to train on, after which the run ends. */
const MOST_EMPTY = 100;

export class OnlineTask extends RowTask<PromptSource> {
  readonly #parts: OnlineTaskParts;
  readonly #maker: RolloutMaker;
  readonly #sizes: ModelSizes;
  #batch: RolloutBatch | null = null;
  /** Units of each step on the batch, and how many of these steps were made. */
  #minibatches: Unit[][] = [];
  #done = 0;
  #rollouts = 0;
  #steps = 0;

  constructor(parts: OnlineTaskParts) {
    super(parts, 'an online run');
    this.#parts = parts;
    this.#sizes = modelSizes(parts.model.decoder);
    const count = (pass: PackedRollouts): void => this.#countForward(pass);
    this.#maker = new RolloutMaker({
      ...parts,
      count,
      countLearning: ({ packed }) => this.count(packed, 0),
    });
  }

  async step(): Promise<Metrics> {
    const { settings, source, pretraining = null, movingReference: moving } = this.#parts;
    if (this.#batch === null || this.#done >= this.#minibatches.length) await this.#nextBatch();
    const batch = this.#batch!;
    const units = this.#minibatches[this.#done]!;
    const sequences = units.flat();
    this.rows = [...new Set(sequences.map((sequence) => batch.rows[batch.groups[sequence]!]!))];
    const count = ({ packed, scored }: PackedRollouts): void =>
      this.count(packed, scored.rows.length);
    const parts = { ...this.#parts, count };
    const { pairs } = settings;
    const totals =
      pairs !== null
        ? await updateOnPairs({ ...parts, pairs }, batch, units)
        : await updatePolicy(parts, batch, sequences, this.#maker.klCoefficient);
    const mixed =
      pretraining === null || this.#warmsUp(batch)
        ? null
        : await pretraining.learn(this.#parts, count);
    this.#done += 1;
    this.#steps += 1;
    moving?.countStep();
    this.tokens += mixed?.tokens ?? 0;
    this.tokens += tokensOf(batch, sequences);
    const metrics: Metrics = {
      ...batch.metrics,
      ...totals.metrics(settings.critic?.coefficient ?? 0),
      ...(moving && { 'reference/moves': moving.moves }),
      epoch: source.epoch,
      num_tokens: this.tokens,
    };
    if (mixed !== null) {
      const { loss } = mixed.metrics();
      metrics['loss/pretraining_avg'] = loss!;
      metrics.loss! += pretraining!.coefficient * loss!;
    }
    if (this.#done < this.#minibatches.length && exceedsKlTarget(totals.drift, settings.targetKl)) {
      metrics['policy/steps_left_out'] = this.#minibatches.length - this.#done;
      this.#done = this.#minibatches.length;
    }
    return metrics;
  }

  /** Whether only the critic learns. */
  #warmsUp({ number }: RolloutBatch): boolean {
    const { critic } = this.#parts.settings;
    return critic !== null && number < critic.warmup;
  }

  /** Makes rollout batches until one has something to train on: without, there is no step. */
  async #nextBatch(): Promise<void> {
    const { signal, notice, settings, batchSize } = this.#parts;
    // Of D2PO's prompts only a share is compared; batches between them are no sign of anything.
    const usual = Math.min(1, (settings.labels?.goldShare ?? 1) * batchSize);
    for (let empty = 0; ; ) {
      await this.#rollOut();
      const batch = this.#batch!;
      const used = new Set(batch.units.flat());
      const unused = batch.everySequence.filter((sequence) => !used.has(sequence));
      this.tokens += tokensOf(batch, unused);
      if (this.#minibatches.length > 0) {
        if (empty > 0) batch.metrics['rollouts/without_steps'] = empty;
        return;
      }
      empty += 1;
      const what = `${empty} rollout batches in a row had nothing to train on: ${this.#whyEmpty()}`;
      if (empty * usual >= MOST_EMPTY) throw new Error(what);
      if (usual === 1 && isReported(empty)) notice?.(what);
      signal?.throwIfAborted();
    }
  }

  #whyEmpty(): string {
    const { keep } = this.#parts.settings;
    if (keep !== null) {
      return `no answer reached --reward-threshold ${keep.threshold}. Lower it, or check the reward`;
    }
    return (
      "no prompt gave a pair. The rewards of a prompt's answers are equal, or closer than --min-score-gap. " +
      'Check the reward, or raise --num-generations'
    );
  }

  async #rollOut(): Promise<void> {
    const { source, batchSize, samples, onSamples, movingReference } = this.#parts;
    // Between batches only: the reference's log-probabilities of a batch are computed once.
    movingReference?.moveIfDue();
    const prompts = await phase('data', () => source.next(batchSize));
    this.rows = prompts.map(({ row }) => row);
    const { batch, lines } = await this.#maker.make(prompts, this.#rollouts);
    this.#rollouts += 1;
    this.#begin(batch, 0);
    const step = this.#steps + 1;
    const sampled = lines.map((line) => ({ step, ...line }));
    samples?.append(sampled);
    const judged = sampled.filter(isJudged);
    if (judged.length > 0) onSamples?.(step, judged);
  }

  #begin(batch: RolloutBatch, done: number): void {
    const { epochs, minibatches } = this.#parts.settings;
    const seed = rolloutSeed(this.#parts.seed, batch.number);
    this.#batch = batch;
    this.#minibatches = minibatchesOf(batch.units, batch.groups, { epochs, minibatches, seed });
    this.#done = done;
  }

  async evaluate(): Promise<Metrics | null> {
    const { evaluation, samples: log, settings } = this.#parts;
    if (evaluation === null) return null;
    const samples: Sample[] = [];
    const judged = { scores: [] as number[], aspects: [] as Record<string, number>[] };
    const kl: number[] = [];
    const lines: SampleLine[] = [];
    let chunk = 0;
    // As many as are sampled together, twice: so that one that ends makes room for another.
    for (const indices of this.evaluationRows(2 * settings.sampling.batchSize)) {
      const prompts = await evaluation.read(indices);
      if (prompts.length === 0) continue;
      const found = await this.#maker.judgeHeldOut(prompts, chunk++);
      samples.push(...found.samples);
      judged.scores.push(...found.judged.scores);
      judged.aspects.push(...found.judged.aspects);
      kl.push(...(found.kl ?? []));
      lines.push(...found.lines.map((line) => ({ step: this.#steps, ...line })));
    }
    if (samples.length === 0) evaluation.refuseNothingLeft();
    // At once: an evaluation that is broken off leaves no part of itself.
    log?.append(lines);
    const { mean, variance } = moments(judged.scores);
    return {
      reward: mean,
      reward_std: Math.sqrt(variance),
      ...answerMetrics(samples, judged),
      ...(kl.length > 0 && { 'objective/kl': moments(kl).mean }),
    };
  }

  #countForward({ packed, scored }: PackedRollouts): void {
    this.flops += totalFlops(forwardFlops(this.#sizes, packed, scored.rows.length));
  }

  override state(): TaskState {
    const state = super.state();
    const left = this.#batch !== null && this.#done < this.#minibatches.length;
    const batch = left ? this.#batch!.state() : null;
    const own = {
      values: {
        ...state.values,
        rollouts: this.#rollouts,
        steps: this.#steps,
        done: left ? this.#done : 0,
        learnt: this.#maker.state(),
        pretraining: this.#parts.pretraining?.state() ?? null,
        batch: batch?.values ?? null,
      },
      tensors: batch?.tensors ?? new Map(),
    };
    const { movingReference, labeller = null } = this.#parts;
    return withLabels(withReference(own, movingReference), labeller);
  }

  override check(state: TaskState): void {
    super.check(state);
    const { rollouts, steps, done, learnt, batch } = state.values;
    const whole = [rollouts, steps, done].every(Number.isInteger);
    if (!whole || typeof learnt !== 'object' || learnt === null) {
      throw new Error('the saved state is not one of an online run');
    }
    if (batch !== null) batchOf(state);
    this.#parts.movingReference?.check(state.values.reference, state.tensors);
    this.#parts.labeller?.check(state.values.labels, state.tensors);
    this.#checkMix(state);
  }

  #checkMix({ values: { pretraining: saved = null } }: TaskState): void {
    const mix = this.#parts.pretraining ?? null;
    if ((mix === null) !== (saved === null)) {
      const how = mix === null ? 'with' : 'without';
      throw new Error(`the run began ${how} --pretraining-data, and goes on only as it began`);
    }
    mix?.check(saved as SamplerState);
  }

  override restore(state: TaskState): void {
    super.restore(state);
    const { rollouts, steps, done, learnt, batch } = state.values;
    this.#maker.restore(learnt as RolloutMakerState);
    this.#parts.pretraining?.restore(state.values.pretraining as SamplerState);
    this.#rollouts = rollouts as number;
    this.#steps = steps as number;
    this.#batch = null;
    if (batch !== null) this.#begin(batchOf(state), done as number);
    this.#parts.movingReference?.restore(state.values.reference, state.tensors);
    this.#parts.labeller?.restore(state.values.labels, state.tensors);
    this.#parts.samples?.goOnAfter(this.#steps);
  }
}

/** Tokens of answers with their prompts. */
const tokensOf = (
  { prompts, completions, groups }: RolloutBatch,
  sequences: readonly number[],
): number =>
  sequences.reduce((sum, one) => sum + prompts[groups[one]!]!.length + completions[one]!.length, 0);

const batchOf = ({ values, tensors }: TaskState): RolloutBatch =>
  RolloutBatch.from({ values: values.batch as TaskState['values'], tensors });
