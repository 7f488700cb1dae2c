// The work that all online methods share: samples answers, has them judged, computes their
// log-probabilities, and describes the resulting batch.
import type { Role } from '@keel/model';
import { phase } from '@keel/torch';
import { sequenceRewards } from '../objectives/online/token-rewards.ts';
import { moments } from '../objectives/online/whitening.ts';
import type { RewardState } from '../rewards/reward.ts';
import type { RunningMomentsState } from '../rewards/running-moments.ts';
import type { SampleLine } from '../runs/samples-log.ts';
import type { Metrics } from '../training/training-task.ts';
import { AnswerJudge, type Judged, type JudgingOptions } from './answer-judge.ts';
import type { KlControllerState } from './kl-controller.ts';
import type { KlPenalty } from './kl-penalty.ts';
import type { OnlineParts } from './online-parts.ts';
import { PolicySampler } from './policy-sampler.ts';
import type { PlacedPrompt } from './prompt-source.ts';
import { RewardWatch } from './reward-watch.ts';
import { RolloutBatch } from './rollout-batch.ts';
import { answerKl, answerMetrics, logprobMetrics, rewardMetrics } from './rollout-metrics.ts';
import { Rollouts } from './rollouts.ts';
import { sampleLines } from './sample-lines.ts';
import { rolloutSeed, type SampledRollouts } from './sample-rollouts.ts';
import { rolloutLogprobs, rolloutValues } from './score-rollouts.ts';
import type { Training } from './training.ts';

export interface WorkerOptions extends JudgingOptions {
  /** Of the log-probabilities that are trained, and of the KL. */
  temperature: number;
  /** null: nothing is compared with a reference. */
  kl: KlPenalty | null;
  /**
   * Answers are compared with the others to the same prompt: equal rewards there have no effect.
   */
  comparesWithinPrompts: boolean;
}

/** A batch with its lines for samples.jsonl, except for their step. */
export interface MadeRollouts<Kind extends Training = Training> {
  batch: RolloutBatch<Kind>;
  lines: Omit<SampleLine, 'step'>[];
}

/** What a batch is made from. */
export interface BatchParts<Kind extends Training> {
  /** Index of the batch in the run. */
  number: number;
  sampled: SampledRollouts;
  rollouts: Rollouts;
  training: Kind;
  judged: Judged;
  /** Which answers were judged, in the order of `judged` (default: all). */
  sequences?: readonly number[];
  /** The method's own. */
  metrics?: Metrics;
  /** [S] fields that the method adds to the lines of samples.jsonl. */
  lines?: readonly Partial<SampleLine>[];
}

/** State between batches; part of a checkpoint. */
export interface WorkerState {
  reward: RewardState | null;
  kl: KlControllerState | null;
  scale: RunningMomentsState | null;
}

export class RolloutWorker {
  readonly #parts: OnlineParts;
  readonly #options: WorkerOptions;
  readonly #sampler: PolicySampler;
  readonly #judge: AnswerJudge;
  readonly #watch: RewardWatch;

  constructor(parts: OnlineParts, options: WorkerOptions) {
    const { reward, notice = () => {} } = parts;
    this.#parts = parts;
    this.#options = options;
    this.#sampler = new PolicySampler(parts);
    this.#judge = new AnswerJudge(parts, options, this.#sampler);
    this.#watch = new RewardWatch({
      withinPrompts: options.comparesWithinPrompts,
      components: reward.counted ?? [],
      notice,
    });
  }

  get kl(): KlPenalty | null {
    return this.#options.kl;
  }

  /**
   * Has servers sample answers, which `sample` waits for if it is called with the same prompts.
   * @param number index of the batch in the run
   * @param how version of the policy, and the role that has its weights
   */
  startAhead(
    prompts: readonly PlacedPrompt[],
    number: number,
    how: { version: number; weights: Role },
  ): Promise<void> {
    const seed = rolloutSeed(this.#parts.seed, number);
    return this.#sampler.startAhead(prompts, this.#options.sampling, seed, how);
  }

  /** @param number index of the batch in the run: another index gives other answers */
  sample(prompts: readonly PlacedPrompt[], number: number): Promise<SampledRollouts> {
    const seed = rolloutSeed(this.#parts.seed, number);
    return this.#sampler.sample(prompts, this.#options.sampling, seed);
  }

  /** The most likely answer to each prompt. */
  sampleGreedily(prompts: readonly PlacedPrompt[]): Promise<SampledRollouts> {
    const greedy = { samplesPerPrompt: 1, temperature: 0, topK: null, topP: 1 };
    return this.#sampler.sample(prompts, { ...this.#options.sampling, ...greedy }, 0);
  }

  /** Has answers judged, which updates the running statistics: once per answer trained on. */
  judge(sampled: SampledRollouts): Promise<Judged> {
    return this.#judge.judge(sampled);
  }

  /** [P] rewards of answers that serve only as a baseline; no statistics change. */
  judgeBaseline(sampled: SampledRollouts): Promise<Float64Array> {
    return this.#judge.judgeBaseline(sampled);
  }

  /**
   * Log-probabilities of sampled answers, computed by the training path.
   * @param old whether the policy's are computed now; otherwise the only optimizer step on the
   *   batch uses its own
   */
  async score(sampled: SampledRollouts, { old = true } = {}): Promise<Rollouts> {
    const { movingReference, referenceRole } = this.#parts;
    const rollouts = this.#rollouts(sampled);
    await this.#score(rollouts, old, movingReference?.role ?? referenceRole);
    return rollouts;
  }

  /** [N] values of the state before each token, from a critic's head. */
  values({ role }: { role: Role }, rollouts: Rollouts): Promise<Float64Array> {
    return phase('values', () => rolloutValues(this.#parts.model, role, rollouts, this.#passes));
  }

  /** [S] rewards, with the KL subtracted if it is part of the reward. */
  rewards(rollouts: Rollouts, shaped: Float64Array): Float64Array {
    const { kl } = this.#options;
    const cost = kl?.inReward(rollouts) ?? null;
    return sequenceRewards(rollouts.layout, shaped, cost, kl?.coefficient ?? 0);
  }

  /** Describes a batch that is ready to be trained on, and adapts the KL coefficient. */
  finish<Kind extends Training>(parts: BatchParts<Kind>): MadeRollouts<Kind> {
    const { number, sampled, rollouts, training, judged, lines: own } = parts;
    const { kl: penalty, sampling, temperature } = this.#options;
    const sequences = parts.sequences ?? rollouts.everySequence;
    const coefficient = penalty?.coefficient ?? 0;
    const kl = answerKl(rollouts);
    const staleness = this.#sampler.stalenessOf(sampled);
    if (kl !== null) penalty!.observe(kl);
    const metrics: Metrics = {
      ...rewardMetrics(judged.shaped, kl === null ? null : -coefficient * moments(kl).mean),
      ...answerMetrics(sampled.samples, judged),
      ...(judged.reference !== undefined && { 'objective/reference_scores': judged.reference }),
      ...logprobMetrics(rollouts, coefficient, {
        comparable: temperature === sampling.temperature,
      }),
      ...penalty?.metrics(rollouts),
      ...(staleness !== undefined && { 'rollouts/staleness': staleness }),
      ...parts.metrics,
      ...this.#parts.reward.metrics?.(),
    };
    this.#watch.observe({
      rewards: judged.shaped,
      prompts: sequences.map((sequence) => rollouts.groups[sequence]!),
      aspects: judged.aspects,
      opened: sampled.prompts.find(({ opened }) => opened !== '')?.opened ?? '',
    });
    const lines = sampleLines(sampled, judged, kl, sequences).map((line, sequence) => ({
      ...line,
      ...own?.[sequence],
    }));
    return { batch: new RolloutBatch({ number, rollouts, training, metrics }), lines };
  }

  /**
   * Samples one answer to each held-out prompt and has it judged; no statistics change.
   * @param chunk which of the held-out batches
   */
  async judgeHeldOut(prompts: readonly PlacedPrompt[], chunk: number) {
    const seed = rolloutSeed(this.#parts.seed, `held-out ${chunk}`);
    const once = { ...this.#options.sampling, samplesPerPrompt: 1 };
    const sampled = await this.#sampler.sample(prompts, once, seed);
    const judged = await this.#judge.judgeHeldOut(sampled);
    const rollouts = this.#rollouts(sampled);
    const { referenceRole } = this.#parts;
    await this.#score(rollouts, this.#options.kl !== null, referenceRole);
    const kl = answerKl(rollouts);
    const golds = await this.#judge.gold(sampled);
    const lines = sampleLines(sampled, judged, kl).map((line, at) => ({
      ...line,
      ...(golds !== null && { gold: golds[at]! }),
      held_out: true as const,
    }));
    return { samples: sampled.samples, judged, kl, lines };
  }

  /** Number of answers sampled at the same time. */
  get samplesInFlight(): number {
    return this.#options.sampling.batchSize;
  }

  #rollouts(sampled: SampledRollouts): Rollouts {
    return Rollouts.of(sampled, this.#parts.constraints);
  }

  get #passes() {
    const { limit, countForward: count } = this.#parts;
    return { limit, temperature: this.#options.temperature, ...(count && { count }) };
  }

  async #score(rollouts: Rollouts, old: boolean, reference: Role): Promise<void> {
    const { model, role } = this.#parts;
    const { logprobs } = rollouts;
    const scored = (name: string, by: Role): Promise<Float64Array> =>
      phase(name, () => rolloutLogprobs(model, by, rollouts, this.#passes));
    if (old) logprobs.old = await scored('old-log-probs', role);
    if (this.#options.kl !== null) logprobs.reference = await scored('reference', reference);
  }

  state(): WorkerState {
    const { reward } = this.#parts;
    return {
      reward: reward.state?.() ?? null,
      kl: this.#options.kl?.state() ?? null,
      scale: this.#judge.state(),
    };
  }

  /** @throws Error if the state belongs to another reward or another kind of run */
  restore({ reward, kl, scale }: WorkerState): void {
    if (reward !== null) this.#parts.reward.restore?.(reward);
    if (kl !== null) this.#options.kl?.restore(kl);
    this.#judge.restore(scale);
  }
}
