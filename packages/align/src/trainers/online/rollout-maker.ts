// Makes rollout batches: samples, judges, computes log-probabilities and values once, and estimates advantages. Remembers
// what a run learns between batches.
import type { LanguageModel, Role } from '@keel/model';
import { fromTypedArray, phase, tidy } from '@keel/torch';
import type { MicroBatchLimit } from '../../batching/micro-batches.ts';
import type { PackedRollouts } from '../../batching/pack-rollouts.ts';
import { klPerToken } from '../../objectives/online/kl-estimators.ts';
import { sequenceRewards, shapeScores } from '../../objectives/online/token-rewards.ts';
import { moments } from '../../objectives/online/whitening.ts';
import { CompositeReward, type CompositeState } from '../../rewards/composite-reward.ts';
import type { Reward } from '../../rewards/reward.ts';
import type { RunningMomentsState } from '../../rewards/running-moments.ts';
import type { MovingReference } from '../moving-reference.ts';
import { AdvantageEstimator } from './advantage-estimator.ts';
import { type Judgement, judgeSamples } from './judge-samples.ts';
import {
  AdaptiveKlController,
  FixedKlController,
  type KlController,
  type KlControllerState,
} from './kl-controller.ts';
import { markKept } from './mark-kept.ts';
import type { OnlineSettings } from './online-settings.ts';
import { markPairs } from './pair-update.ts';
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
  /** The policy before training: the KL of held-out answers is to it. */
  referenceRole: Role;
  /** The reference that training compares with, where it is not that one. */
  movingReference: MovingReference | null;
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
    const { movingReference: moving, referenceRole } = this.#parts;
    await this.#score(batch, { old: !lazy, values: true }, moving?.role ?? referenceRole);
    const coefficient = this.klCoefficient;
    const greedy =
      settings.advantage.kind === 'greedy' ? await this.#greedyRewards(prompts) : undefined;
    const shaped = this.#estimate(batch, sampled.samples, judged, greedy);
    const kl = answerKl(batch);
    if (kl !== null) this.#kl!.observe(moments(kl).mean, kl.length);
    const rewards = moments(shaped);
    const nonScore = kl === null ? 0 : -coefficient * moments(kl).mean;
    batch.metrics = {
      reward: rewards.mean,
      reward_std: Math.sqrt(rewards.variance),
      ...answerMetrics(sampled.samples, judged),
      ...batchMetrics(batch, coefficient, {
        comparable: settings.trainingTemperature === settings.sampling.temperature,
      }),
      ...(kl !== null && {
        'objective/non_score_reward': nonScore,
        'objective/rlhf_reward': rewards.mean + nonScore,
      }),
      ...batch.metrics,
      ...(this.#parts.reward instanceof CompositeReward && this.#parts.reward.metrics()),
    };
    const lines = linesOf(sampled, judged, kl);
    if (settings.keep === null) return { batch, lines };
    return {
      batch,
      lines: lines.map((line, sequence) => ({ ...line, kept: batch.mark(sequence) === 1 })),
    };
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
    const wanted = { old: this.#parts.settings.kl !== null, values: false };
    await this.#score(batch, wanted, this.#parts.referenceRole);
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
    { seed, heldOut, greedy = false }: { seed: number; heldOut: boolean; greedy?: boolean },
  ): Promise<{ sampled: SampledRollouts; judged: Judgement }> {
    const { model, role, reward, settings, place } = this.#parts;
    const usual = { ...settings.sampling, samplesPerPrompt };
    const sampling = greedy ? { ...usual, temperature: 0, topK: null, topP: 1 } : usual;
    const sampled = await phase('rollout', () =>
      sampleRollouts(model, role, prompts, sampling, seed),
    );
    const judged = await phase('reward', () =>
      judgeSamples(reward, sampled, {
        learns: !heldOut && !greedy,
        place: (row) => place(row, heldOut),
      }),
    );
    return { sampled, judged };
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
    const { sampled, judged } = await this.#sample(prompts, 1, {
      ...{ seed: 0, heldOut: false, greedy: true },
    });
    const ended = sampled.samples.map((one) => one.ended);
    let rewards = shapeScores(judged.scores, ended, shaping);
    if (kl?.place === 'reward') {
      const batch = batchOf(sampled, 0);
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
    const { shaping, kl, pairs, keep } = this.#parts.settings;
    const { layout, numbers } = batch;
    const scaled = this.#scale?.scale(scores) ?? scores;
    const shaped = shapeScores(
      scaled,
      samples.map(({ ended }) => ended),
      shaping,
    );
    if (kl !== null) {
      batch.metrics.kl = moments(tokenKl('k3', numbers.old!, numbers.reference!)).mean;
    }
    if (pairs !== null) {
      const { marks, ties } = markPairs(layout, shaped);
      numbers.advantages = layout.spread(marks);
      batch.metrics.frac_reward_zero_std = ties;
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
