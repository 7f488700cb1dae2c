// Makes rollout batches: samples, judges, computes log-probabilities and values once, and estimates advantages. Remembers
// what a run learns between batches.
import type { LanguageModel, Role } from '@keel/model';
import { fromTypedArray, phase, tidy } from '@keel/torch';
import type { MicroBatchLimit } from '../../batching/micro-batches.ts';
import type { PackedRollouts } from '../../batching/pack-rollouts.ts';
import { klPerToken } from '../../objectives/online/kl-estimators.ts';
import { shapeScores } from '../../objectives/online/token-rewards.ts';
import { moments } from '../../objectives/online/whitening.ts';
import { CompositeReward, type CompositeState } from '../../rewards/composite-reward.ts';
import type { Reward } from '../../rewards/reward.ts';
import type { RunningMomentsState } from '../../rewards/running-moments.ts';
import type { Metrics } from '../training-task.ts';
import { AdvantageEstimator } from './advantage-estimator.ts';
import { type Judgement, judgeSamples } from './judge-samples.ts';
import {
  AdaptiveKlController,
  FixedKlController,
  type KlController,
  type KlControllerState,
} from './kl-controller.ts';
import type { OnlineSettings } from './online-settings.ts';
import type { PlacedPrompt } from './prompt-source.ts';
import { RolloutBatch } from './rollout-batch.ts';
import { answerKl, answerMetrics, batchMetrics } from './rollout-metrics.ts';
import type { RunningBaselineState } from './running-baseline.ts';
import { RunningRewardScale } from './running-reward-scale.ts';
import {
  rolloutSeed,
  type Sample,
  type SampledRollouts,
  sampleRollouts,
} from './sample-rollouts.ts';
import type { SampleLine } from './samples-log.ts';
import { rolloutLogprobs, rolloutValues } from './score-rollouts.ts';

export interface RolloutMakerParts {
  model: LanguageModel;
  /** Role that samples and is trained. */
  role: Role;
  /** Role to whose log-probabilities the KL is. */
  referenceRole: Role;
  /** Role whose head gives values; null: no critic. */
  valueRole: Role | null;
  reward: Reward;
  settings: OnlineSettings;
  seed: number;
  limit: MicroBatchLimit;
  /** Names a row for messages. */
  place(row: number, heldOut: boolean): string;
  /** Told of every forward pass. */
  count?(pass: PackedRollouts): void;
}

/** What a run has learnt of its rollouts; part of a checkpoint. */
export interface RolloutMakerState {
  reward: CompositeState | null;
  kl: KlControllerState | null;
  baseline: RunningBaselineState | null;
  scale: RunningMomentsState | null;
}

/** A batch with its samples as they are logged, but for the step. */
export interface MadeRollouts {
  batch: RolloutBatch;
  lines: Omit<SampleLine, 'step'>[];
}

export class RolloutMaker {
  readonly #parts: RolloutMakerParts;
  readonly #kl: KlController | null;
  readonly #estimator: AdvantageEstimator;
  readonly #scale: RunningRewardScale | null;

  constructor(parts: RolloutMakerParts) {
    const { kl, advantage, whitenAdvantages, shaping } = parts.settings;
    this.#parts = parts;
    this.#kl =
      kl === null
        ? null
        : kl.adaptive
          ? new AdaptiveKlController(kl.coefficient, kl.adaptive)
          : new FixedKlController(kl.coefficient);
    this.#estimator = new AdvantageEstimator(advantage, { whitens: whitenAdvantages });
    this.#scale = shaping.running ? new RunningRewardScale() : null;
  }

  /** Coefficient of the KL now; 0 without a reference. */
  get klCoefficient(): number {
    return this.#kl?.coefficient ?? 0;
  }

  /** @param number of the batch in the run: another number, other draws */
  async make(prompts: readonly PlacedPrompt[], number: number): Promise<MadeRollouts> {
    const { settings } = this.#parts;
    const { sampled, judged } = await this.#sample(prompts, settings.sampling.samplesPerPrompt, {
      seed: rolloutSeed(this.#parts.seed, number),
      heldOut: false,
    });
    const batch = batchOf(sampled, number);
    const steps = settings.epochs * settings.minibatches;
    const lazy = settings.kl === null && settings.critic === null && steps === 1;
    await this.#score(batch, { old: !lazy, values: true });
    const coefficient = this.klCoefficient;
    const shaped = this.#estimate(batch, sampled.samples, judged);
    const kl = answerKl(batch);
    if (kl !== null) this.#kl!.observe(moments(kl).mean, kl.length);
    const rewards = moments(shaped);
    const nonScore = kl === null ? 0 : -coefficient * moments(kl).mean;
    batch.metrics = {
      reward: rewards.mean,
      reward_std: Math.sqrt(rewards.variance),
      ...answerMetrics(sampled.samples, judged),
      ...batchMetrics(batch, coefficient),
      ...(kl !== null && {
        'objective/non_score_reward': nonScore,
        'objective/rlhf_reward': rewards.mean + nonScore,
      }),
      ...batch.metrics,
      ...(this.#parts.reward instanceof CompositeReward && this.#parts.reward.metrics()),
    };
    return { batch, lines: linesOf(sampled, judged, kl) };
  }

  /**
   * Answers held-out prompts once each and judges them; nothing is learnt.
   * @param chunk which of the held-out batches
   */
  async judgeHeldOut(
    prompts: readonly PlacedPrompt[],
    chunk: number,
  ): Promise<{
    samples: Sample[];
    judged: Judgement;
    kl: Float64Array | null;
    lines: MadeRollouts['lines'];
  }> {
    const { sampled, judged } = await this.#sample(prompts, 1, {
      seed: rolloutSeed(this.#parts.seed, `held-out ${chunk}`),
      heldOut: true,
    });
    const batch = batchOf(sampled, chunk);
    await this.#score(batch, { old: this.#parts.settings.kl !== null, values: false });
    const kl = answerKl(batch);
    const lines = linesOf(sampled, judged, kl).map((line) => ({
      ...line,
      held_out: true as const,
    }));
    return { samples: sampled.samples, judged, kl, lines };
  }

  async #sample(
    prompts: readonly PlacedPrompt[],
    samplesPerPrompt: number,
    { seed, heldOut }: { seed: number; heldOut: boolean },
  ): Promise<{ sampled: SampledRollouts; judged: Judgement }> {
    const { model, role, reward, settings, place } = this.#parts;
    const sampling = { ...settings.sampling, samplesPerPrompt };
    const sampled = await phase('rollout', () =>
      sampleRollouts(model, role, prompts, sampling, seed),
    );
    const judged = await phase('reward', () =>
      judgeSamples(reward, sampled, { learns: !heldOut, place: (row) => place(row, heldOut) }),
    );
    return { sampled, judged };
  }

  async #score(batch: RolloutBatch, wanted: { old: boolean; values: boolean }): Promise<void> {
    const { model, role, referenceRole, valueRole, settings, limit, count } = this.#parts;
    const { temperature } = settings.sampling;
    const how = { limit, temperature, ...(count && { count }) };
    const { numbers } = batch;
    if (wanted.old) {
      numbers.old = await phase('old-log-probs', () => rolloutLogprobs(model, role, batch, how));
    }
    if (settings.kl !== null) {
      numbers.reference = await phase('reference', () =>
        rolloutLogprobs(model, referenceRole, batch, how),
      );
    }
    if (valueRole !== null && wanted.values) {
      numbers.values = await phase('values', () => rolloutValues(model, valueRole, batch, how));
    }
  }

  /** Fills in the batch's advantages. @returns [S] the scores that they come from */
  #estimate(batch: RolloutBatch, samples: readonly Sample[], { scores }: Judgement): Float64Array {
    const { shaping, kl } = this.#parts.settings;
    const { layout, numbers } = batch;
    const scaled = this.#scale?.scale(scores) ?? scores;
    const shaped = shapeScores(
      scaled,
      samples.map(({ ended }) => ended),
      shaping,
    );
    const found = this.#estimator.estimate({
      layout,
      scores: shaped,
      kl: kl?.place === 'reward' ? tokenKl(kl.estimator, numbers.old!, numbers.reference!) : null,
      klCoefficient: this.klCoefficient,
      values: numbers.values,
    });
    numbers.advantages = found.advantages;
    numbers.returns = found.returns;
    const metrics: Metrics = {};
    if (found.zeroVariance !== null) metrics.frac_reward_zero_std = found.zeroVariance;
    if (kl !== null) metrics.kl = moments(tokenKl('k3', numbers.old!, numbers.reference!)).mean;
    batch.metrics = metrics;
    return shaped;
  }

  state(): RolloutMakerState {
    const { reward } = this.#parts;
    return {
      reward: reward instanceof CompositeReward ? reward.state() : null,
      kl: this.#kl?.state() ?? null,
      baseline: this.#estimator.state(),
      scale: this.#scale?.state() ?? null,
    };
  }

  /** @throws Error where the state is of another reward or another kind of run */
  restore({ reward, kl, baseline, scale }: RolloutMakerState): void {
    const own = this.#parts.reward;
    if (own instanceof CompositeReward && reward !== null) own.restore(reward);
    if (kl !== null) this.#kl?.restore(kl);
    this.#estimator.restore(baseline);
    if (scale !== null) this.#scale?.restore(scale);
  }
}

function batchOf({ prompts, samples }: SampledRollouts, number: number): RolloutBatch {
  const answers = {
    prompts: prompts.map(({ tokens }) => tokens),
    completions: samples.map(({ tokens }) => tokens),
    groups: samples.map(({ group }) => group),
  };
  const rows = prompts.map(({ row }) => row);
  return new RolloutBatch(
    number,
    rows,
    answers,
    samples.flatMap(({ logprobs }) => logprobs),
  );
}

const tokenKl = (
  estimator: 'k1' | 'k2' | 'k3',
  policy: Float64Array,
  reference: Float64Array,
): number[] =>
  tidy(() => klPerToken(estimator, fromTypedArray(policy), fromTypedArray(reference)).toArray());

const linesOf = (
  { prompts, samples }: SampledRollouts,
  { scores, aspects }: Judgement,
  kl: Float64Array | null,
): MadeRollouts['lines'] =>
  samples.map(({ group, text, ended, tokens }, index) => ({
    row: prompts[group]!.row,
    prompt: prompts[group]!.prompt,
    completion: text,
    reward: scores[index]!,
    ...(Object.keys(aspects[index]!).length > 0 && { aspects: aspects[index]! }),
    kl: kl?.[index] ?? null,
    ended,
    tokens: tokens.length,
  }));
