// Makes rollout batches: samples, judges, computes log-probabilities and values once, and estimates
// advantages. Remembers what a run learns between batches.
import type { LanguageModel, Role } from '@keel/model';
import { fromTypedArray, phase, tidy } from '@keel/torch';
import type { MicroBatchLimit } from '../batching/micro-batches.ts';
import type { PackedJudged } from '../batching/pack-judged.ts';
import type { PackedRollouts } from '../batching/pack-rollouts.ts';
import type { GoldJudgement, Labeller, Labels } from '../methods/d2po/labeller.ts';
import { AdvantageEstimator } from '../methods/online/advantage-estimator.ts';
import {
  AdaptiveKlController,
  FixedKlController,
  type KlController,
  type KlControllerState,
} from '../methods/online/kl-controller.ts';
import type { OnlineSettings } from '../methods/online/online-settings.ts';
import { markPairs, unitsOf } from '../methods/online/pair-update.ts';
import type { RunningBaselineState } from '../methods/online/running-baseline.ts';
import { RunningRewardScale } from '../methods/online/running-reward-scale.ts';
import { markKept } from '../methods/raft/mark-kept.ts';
import { klPerToken } from '../objectives/online/kl-estimators.ts';
import { sequenceRewards, shapeScores } from '../objectives/online/token-rewards.ts';
import { moments } from '../objectives/online/whitening.ts';
import type { MovingReference } from '../reference/moving-reference.ts';
import type { Reward, RewardState } from '../rewards/reward.ts';
import type { RunningMomentsState } from '../rewards/running-moments.ts';
import type { Metrics } from '../training/training-task.ts';
import { type Judgement, judgeSamples } from './judge-samples.ts';
import type { PlacedPrompt } from './prompt-source.ts';
import { RewardWatch } from './reward-watch.ts';
import type { RolloutBatch } from './rollout-batch.ts';
import { answerKl, answerMetrics, batchMetrics, rewardMetrics } from './rollout-metrics.ts';
import {
  rolloutSeed,
  type Sample,
  type SampledRollouts,
  sampleRollouts,
} from './sample-rollouts.ts';
import { batchOfSamples, sampleLines } from './sampled-batch.ts';
import type { SampleLine } from './samples-log.ts';
import { rolloutLogprobs, rolloutValues } from './score-rollouts.ts';

export interface RolloutMakerParts {
  model: LanguageModel;
  /** Role that samples and is trained. */
  role: Role;
  /** The policy before training: the KL of held-out answers is to it. */
  referenceRole: Role;
  /** The reference that training compares with, where it is not that one. */
  movingReference: MovingReference | null;
  /** Role whose head gives values; null: no critic. */
  valueRole: Role | null;
  reward: Reward;
  /**
   * Labels pairs where the reward is asked of few answers only; null, unless told: it judges all.
   */
  labeller?: Labeller | null;
  settings: OnlineSettings;
  seed: number;
  limit: MicroBatchLimit;
  /** Names a row for messages. */
  place(row: number, heldOut: boolean): string;
  /** Ends rewards under way: `make` and `judgeHeldOut` then throw its reason. */
  signal?: AbortSignal | undefined;
  /** Is told of rewards that teach nothing. */
  notice?(text: string): void;
  /** Told of every forward pass. */
  count?(pass: PackedRollouts): void;
  /** Told of every pass, forward and backward, in which a discriminator learns. */
  countLearning?(pass: PackedJudged): void;
}

/** What a run has learnt of its rollouts; part of a checkpoint. */
export interface RolloutMakerState {
  reward: RewardState | null;
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
  readonly #watch: RewardWatch;

  constructor(parts: RolloutMakerParts) {
    const { kl, advantage, whitenAdvantages, shaping, pairs } = parts.settings;
    const { reward, notice = () => {} } = parts;
    this.#parts = parts;
    this.#watch = new RewardWatch({
      withinPrompts: pairs !== null || ['group', 'leave_one_out'].includes(advantage.kind),
      components: reward.counted ?? [],
      notice,
    });
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
    const { settings, labeller = null } = this.#parts;
    const sampled = await this.#draw(
      prompts,
      settings.sampling.samplesPerPrompt,
      rolloutSeed(this.#parts.seed, number),
    );
    const judged = labeller === null ? await this.#judge(sampled) : null;
    const batch = batchOfSamples(sampled, number);
    const steps = settings.epochs * settings.minibatches;
    const lazy = settings.kl === null && settings.critic === null && steps === 1;
    const { movingReference: moving, referenceRole } = this.#parts;
    await this.#score(batch, { old: !lazy, values: true }, moving?.role ?? referenceRole);
    const coefficient = this.klCoefficient;
    const greedy =
      settings.advantage.kind === 'greedy' ? await this.#greedyRewards(prompts) : undefined;
    const found: { judged: Judgement; shaped: ArrayLike<number>; labels?: Labels } =
      judged === null
        ? await this.#label(labeller!, batch, sampled)
        : { judged, shaped: this.#estimate(batch, sampled.samples, judged, greedy) };
    const kl = answerKl(batch);
    if (kl !== null) this.#kl!.observe(moments(kl).mean, kl.length);
    batch.metrics = {
      ...rewardMetrics(found.shaped, kl === null ? null : -coefficient * moments(kl).mean),
      ...answerMetrics(sampled.samples, found.judged),
      ...batchMetrics(batch, coefficient, {
        comparable: settings.trainingTemperature === settings.sampling.temperature,
      }),
      ...batch.metrics,
      ...this.#parts.reward.metrics?.(),
    };
    const { labels } = found;
    const asked = labels?.gold.sequences ?? batch.everySequence;
    this.#watch.observe({
      rewards: found.shaped,
      prompts: asked.map((sequence) => batch.groups[sequence]!),
      aspects: found.judged.aspects,
      opened: prompts.find(({ opened }) => opened !== '')?.opened ?? '',
    });
    const lines = sampleLines(sampled, found.judged, kl, labels?.gold.sequences).map(
      (line, sequence) => ({
        ...line,
        ...labels?.lines[sequence],
        ...(settings.keep !== null && { kept: batch.mark(sequence) === 1 }),
      }),
    );
    return { batch, lines };
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
    const seed = rolloutSeed(this.#parts.seed, `held-out ${chunk}`);
    const sampled = await this.#draw(prompts, 1, seed);
    const judged = await this.#judge(sampled, { learns: false, heldOut: true });
    const batch = batchOfSamples(sampled, chunk);
    const wanted = { old: this.#parts.settings.kl !== null, values: false };
    await this.#score(batch, wanted, this.#parts.referenceRole);
    const kl = answerKl(batch);
    const lines = sampleLines(sampled, judged, kl).map((line) => ({
      ...line,
      held_out: true as const,
    }));
    return { samples: sampled.samples, judged, kl, lines };
  }

  async #draw(
    prompts: readonly PlacedPrompt[],
    samplesPerPrompt: number,
    seed: number,
    { greedy = false } = {},
  ): Promise<SampledRollouts> {
    const { model, role, settings } = this.#parts;
    const usual = { ...settings.sampling, samplesPerPrompt };
    const sampling = greedy ? { ...usual, temperature: 0, topK: null, topP: 1 } : usual;
    return phase('rollout', () => sampleRollouts(model, role, prompts, sampling, seed));
  }

  #judge(sampled: SampledRollouts, { learns = true, heldOut = false } = {}): Promise<Judgement> {
    const { reward, place, signal } = this.#parts;
    return phase('reward', () =>
      judgeSamples(reward, sampled, { learns, place: (row) => place(row, heldOut), signal }),
    );
  }

  /** [S] rewards as they count. */
  #shape(scores: readonly number[], samples: readonly Sample[]): Float64Array {
    const scaled = this.#scale?.scale(scores) ?? scores;
    const ended = samples.map((one) => one.ended);
    return shapeScores(scaled, ended, this.#parts.settings.shaping);
  }

  /** Has the batch's pairs labelled, most of them without the reward. */
  async #label(
    labeller: Labeller,
    batch: RolloutBatch,
    { prompts, samples }: SampledRollouts,
  ): Promise<{ judged: Judgement; shaped: ArrayLike<number>; labels: Labels }> {
    const judge = async (sequences: readonly number[]): Promise<GoldJudgement> => {
      const asked = sequences.map((sequence) => samples[sequence]!);
      const judged = await this.#judge({ prompts, samples: asked });
      return { judged, shaped: this.#shape(judged.scores, asked) };
    };
    const { countLearning } = this.#parts;
    const labels = await labeller.label(batch, { prompts, samples }, judge, countLearning);
    batch.numbers.advantages = batch.layout.spread(labels.marks);
    batch.units = unitsOf(labels.pairs);
    batch.metrics = { ...this.#referenceKl(batch), ...labels.metrics };
    const { judged, shaped } = labels.gold;
    return { judged, shaped, labels };
  }

  async #score(
    batch: RolloutBatch,
    wanted: { old: boolean; values: boolean },
    reference: Role,
  ): Promise<void> {
    const { model, role, valueRole, settings, limit, count } = this.#parts;
    const { trainingTemperature: temperature } = settings;
    const how = { limit, temperature, ...(count && { count }) };
    const { numbers } = batch;
    if (wanted.old) {
      numbers.old = await phase('old-log-probs', () => rolloutLogprobs(model, role, batch, how));
    }
    if (settings.kl !== null) {
      numbers.reference = await phase('reference', () =>
        rolloutLogprobs(model, reference, batch, how),
      );
    }
    if (valueRole !== null && wanted.values) {
      numbers.values = await phase('values', () => rolloutValues(model, valueRole, batch, how));
    }
  }

  /** By prompt, what its likeliest answer earns, with KL where that is part of the reward. */
  async #greedyRewards(prompts: readonly PlacedPrompt[]): Promise<Map<number, number>> {
    const { shaping, kl } = this.#parts.settings;
    const sampled = await this.#draw(prompts, 1, 0, { greedy: true });
    const judged = await this.#judge(sampled, { learns: false });
    const ended = sampled.samples.map((one) => one.ended);
    let rewards = shapeScores(judged.scores, ended, shaping);
    if (kl?.place === 'reward') {
      const batch = batchOfSamples(sampled, 0);
      const { movingReference: moving, referenceRole } = this.#parts;
      await this.#score(batch, { old: true, values: false }, moving?.role ?? referenceRole);
      const { old, reference } = batch.numbers;
      const cost = tokenKl(kl.estimator, old!, reference!);
      rewards = sequenceRewards(batch.layout, rewards, cost, this.klCoefficient);
    }
    return new Map(sampled.samples.map(({ group }, at) => [group, rewards[at]!]));
  }

  /** Fills in the batch's advantages, or its pairs. @returns [S] the scores that they come from */
  #estimate(
    batch: RolloutBatch,
    samples: readonly Sample[],
    { scores }: Judgement,
    greedy?: ReadonlyMap<number, number>,
  ): Float64Array {
    const { kl, pairs, keep } = this.#parts.settings;
    const { layout, numbers } = batch;
    const shaped = this.#shape(scores, samples);
    batch.metrics = this.#referenceKl(batch);
    if (pairs !== null) {
      const { marks, pairs: wide, ties, narrow } = markPairs(layout, shaped, pairs.minGap);
      numbers.advantages = layout.spread(marks);
      batch.units = unitsOf(wide);
      batch.metrics.frac_reward_zero_std = ties;
      if (pairs.minGap > 0) batch.metrics['pairs/below_gap'] = narrow;
      return shaped;
    }
    const cost =
      kl?.place === 'reward' ? tokenKl(kl.estimator, numbers.old!, numbers.reference!) : null;
    if (keep !== null) {
      const ranked =
        cost === null ? shaped : sequenceRewards(layout, shaped, cost, this.klCoefficient);
      markKept(batch, keep, ranked, shaped);
      return shaped;
    }
    const found = this.#estimator.estimate({
      layout,
      scores: shaped,
      kl: cost,
      klCoefficient: this.klCoefficient,
      values: numbers.values,
      ...(greedy && { greedy }),
    });
    numbers.advantages = found.advantages;
    numbers.returns = found.returns;
    if (found.zeroVariance !== null) batch.metrics.frac_reward_zero_std = found.zeroVariance;
    return shaped;
  }

  #referenceKl({ numbers: { old, reference } }: RolloutBatch): Metrics {
    if (this.#parts.settings.kl === null) return {};
    return { kl: moments(tokenKl('k3', old!, reference!)).mean };
  }

  state(): RolloutMakerState {
    const { reward } = this.#parts;
    return {
      reward: reward.state?.() ?? null,
      kl: this.#kl?.state() ?? null,
      baseline: this.#estimator.state(),
      scale: this.#scale?.state() ?? null,
    };
  }

  /** @throws Error where the state is of another reward or another kind of run */
  restore({ reward, kl, baseline, scale }: RolloutMakerState): void {
    if (reward !== null) this.#parts.reward.restore?.(reward);
    if (kl !== null) this.#kl?.restore(kl);
    this.#estimator.restore(baseline);
    if (scale !== null) this.#scale?.restore(scale);
  }
}

const tokenKl = (
  estimator: 'k1' | 'k2' | 'k3',
  policy: Float64Array,
  reference: Float64Array,
): number[] =>
  tidy(() => klPerToken(estimator, fromTypedArray(policy), fromTypedArray(reference)).toArray());
