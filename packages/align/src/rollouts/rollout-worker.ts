// The work that all online methods share: samples answers, has them judged, computes their
// log-probabilities, and describes the resulting batch.

import type { LanguageModel, Role } from '@keel/model';
import { phase } from '@keel/torch';
import type { AnswerConstraints } from '../batching/answer-constraints.ts';
import { hiddenToken } from '../batching/hidden-token.ts';
import type { MicroBatchLimit } from '../batching/micro-batches.ts';
import type { PackedJudged } from '../batching/pack-judged.ts';
import type { PackedRollouts } from '../batching/pack-rollouts.ts';
import { type RewardShape, shapedAgainst } from '../objectives/online/reward-shapes.ts';
import {
  type ScoreShaping,
  sequenceRewards,
  shapeScores,
} from '../objectives/online/token-rewards.ts';
import { moments } from '../objectives/online/whitening.ts';
import type { MovingReference } from '../reference/moving-reference.ts';
import type { Reward, RewardState } from '../rewards/reward.ts';
import type { RunningMomentsState } from '../rewards/running-moments.ts';
import type { SampleLine } from '../runs/samples-log.ts';
import type { Metrics } from '../training/training-task.ts';
import { type Judgement, judgeSamples, scoreSamples } from './judge-samples.ts';
import type { KlControllerState } from './kl-controller.ts';
import type { KlPenalty } from './kl-penalty.ts';
import type { PlacedPrompt } from './prompt-source.ts';
import { RewardWatch } from './reward-watch.ts';
import { RolloutBatch } from './rollout-batch.ts';
import { answerKl, answerMetrics, logprobMetrics, rewardMetrics } from './rollout-metrics.ts';
import { Rollouts } from './rollouts.ts';
import { RunningRewardScale } from './running-reward-scale.ts';
import { sampleLines } from './sample-lines.ts';
import {
  rolloutSeed,
  type SampledRollouts,
  type SamplingOptions,
  sampleRollouts,
  startRollouts,
} from './sample-rollouts.ts';
import { rolloutLogprobs, rolloutValues } from './score-rollouts.ts';
import type { ServedPolicy } from './servers/served-policy.ts';
import type { Training } from './training.ts';

/** What an online run has in memory, and how to use it. */
export interface OnlineParts {
  model: LanguageModel;
  /** The role that samples and is trained. */
  role: Role;
  /** The policy before training: the KL of held-out answers is to it. */
  referenceRole: Role;
  /** The reference that training compares with, if it follows the policy. */
  movingReference: MovingReference | null;
  reward: Reward;
  /** What the reward stands for: scores held-out answers (default: nothing does). */
  gold?: Reward | null;
  /** Servers that sample instead of this process (default: none). */
  servers?: ServedPolicy | null;
  /** Number of optimizer steps so far; needed with servers. */
  version?(): number;
  /** What all answers match, also held-out ones and baselines (default: null, anything). */
  constraints?: AnswerConstraints | null;
  seed: number;
  /** Maximum size of a pass. */
  limit: MicroBatchLimit;
  /** Whether a pass of this many tokens recomputes its activations. */
  recomputes?(tokens: number): boolean;
  /** Names a row in messages. */
  place(row: number, heldOut: boolean): string;
  /** Aborts rewards in progress; waiting for them then rejects with its reason. */
  signal?: AbortSignal | undefined;
  /** Called every second, with the seconds so far, while the reward takes longer than two. */
  onWait?(seconds: number): void;
  /** Receives warnings about rewards that have no effect. */
  notice?(text: string): void;
  /**
   * Whether the gradient of the current step is whole after the passes of its answers (default: it
   * is).
   */
  endsStep?(): boolean;
  /** Called for every forward pass. */
  countForward?(pass: PackedRollouts): void;
  /** Called for every training pass, forward and backward. */
  countTraining?(pass: PackedRollouts): void;
  /** Called for every pass that trains another model while batches are made. */
  countLearning?(pass: PackedJudged): void;
}

export interface WorkerOptions {
  sampling: SamplingOptions;
  /** Of the log-probabilities that are trained, and of the KL. */
  temperature: number;
  /** `running`: scores are divided by the standard deviation of all so far. */
  shaping: ScoreShaping & { running: boolean };
  /** What scores are compared with before they are clipped; null: they are not. */
  comparison: RewardComparison | null;
  /** null: nothing is compared with a reference. */
  kl: KlPenalty | null;
  /**
   * Answers are compared with the others to the same prompt: equal rewards there have no effect.
   */
  comparesWithinPrompts: boolean;
}

/** Scores are compared with those of answers of the policy before training. */
export interface RewardComparison {
  shape: RewardShape;
  /** Number of these answers to each prompt. */
  answers: number;
  /** Compared with this score instead; null: with the answers. */
  centre: number | null;
}

/** The reward's scores of some answers. */
export interface Judged extends Judgement {
  /** [S] scores as trained on: scaled, clipped, with the penalty for a missing end. */
  shaped: Float64Array;
  /** Mean score of the reference answers to the prompts; absent without them. */
  reference?: number;
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

interface ReferenceScores {
  prompts: readonly PlacedPrompt[];
  /** [P][M] */
  scores: readonly (readonly number[])[];
  /** Whether they are those of answers. */
  answers: boolean;
}

export class RolloutWorker {
  readonly #parts: OnlineParts;
  readonly #options: WorkerOptions;
  readonly #scale: RunningRewardScale | null;
  readonly #watch: RewardWatch;
  #hiddenNoticed = false;
  /** Answers that servers are sampling, and whose prompts they answer. */
  #ahead: { prompts: readonly PlacedPrompt[]; wait(): Promise<SampledRollouts> } | null = null;
  /** Scores of the reference answers to the latest prompts. */
  #references: ReferenceScores | null = null;

  constructor(parts: OnlineParts, options: WorkerOptions) {
    const { reward, notice = () => {} } = parts;
    this.#parts = parts;
    this.#options = options;
    this.#scale = options.shaping.running ? new RunningRewardScale() : null;
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
  async startAhead(
    prompts: readonly PlacedPrompt[],
    number: number,
    how: { version: number; weights: Role },
  ): Promise<void> {
    const { role, seed } = this.#parts;
    const { sampling } = this.#options;
    const wait = await this.#start(role, prompts, sampling, rolloutSeed(seed, number), how);
    this.#ahead = { prompts, wait };
  }

  /** @param number index of the batch in the run: another index gives other answers */
  sample(prompts: readonly PlacedPrompt[], number: number): Promise<SampledRollouts> {
    return this.#sample(prompts, this.#options.sampling, rolloutSeed(this.#parts.seed, number));
  }

  /** The most likely answer to each prompt. */
  sampleGreedily(prompts: readonly PlacedPrompt[]): Promise<SampledRollouts> {
    const greedy = { samplesPerPrompt: 1, temperature: 0, topK: null, topP: 1 };
    return this.#sample(prompts, { ...this.#options.sampling, ...greedy }, 0);
  }

  /** Has answers judged, which updates the running statistics: once per answer trained on. */
  async judge(sampled: SampledRollouts): Promise<Judged> {
    const judgement = await this.#judge(sampled);
    const references = await this.#referencesOf(sampled.prompts);
    const shaped = this.#shape(judgement, sampled, references, { scale: true });
    const reference = references?.answers
      ? { reference: moments(references.scores.flat()).mean }
      : {};
    return { ...judgement, shaped, ...reference };
  }

  /** [P] rewards of answers that serve only as a baseline; no statistics change. */
  async judgeBaseline(sampled: SampledRollouts): Promise<Float64Array> {
    const judgement = await this.#judge(sampled, { learns: false });
    const references = await this.#referencesOf(sampled.prompts);
    return this.#shape(judgement, sampled, references, { scale: false });
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
    if (kl !== null) penalty!.observe(kl);
    const metrics: Metrics = {
      ...rewardMetrics(judged.shaped, kl === null ? null : -coefficient * moments(kl).mean),
      ...answerMetrics(sampled.samples, judged),
      ...(judged.reference !== undefined && { 'objective/reference_scores': judged.reference }),
      ...logprobMetrics(rollouts, coefficient, {
        comparable: temperature === sampling.temperature,
      }),
      ...penalty?.metrics(rollouts),
      ...this.#staleness(sampled),
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
    const sampled = await this.#sample(prompts, once, seed);
    const judged = await this.#judge(sampled, { learns: false, heldOut: true });
    const rollouts = this.#rollouts(sampled);
    const { referenceRole } = this.#parts;
    await this.#score(rollouts, this.#options.kl !== null, referenceRole);
    const kl = answerKl(rollouts);
    const golds = await this.#gold(sampled);
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

  async #sample(
    prompts: readonly PlacedPrompt[],
    sampling: SamplingOptions,
    seed: number,
  ): Promise<SampledRollouts> {
    const { role } = this.#parts;
    const ahead = this.#ahead?.prompts === prompts ? this.#ahead : null;
    if (ahead !== null) this.#ahead = null;
    const sampled = await phase('rollout', () =>
      ahead === null ? this.#sampleAs(role, prompts, sampling, seed) : ahead.wait(),
    );
    this.#noticeHidden(sampled);
    return sampled;
  }

  async #sampleAs(
    role: Role,
    prompts: readonly PlacedPrompt[],
    sampling: SamplingOptions,
    seed: number,
  ): Promise<SampledRollouts> {
    const { model, constraints = null, servers = null } = this.#parts;
    if (servers !== null) {
      // Only the policy changes.
      const version = role === this.#parts.role ? this.#version : 0;
      return (await this.#start(role, prompts, sampling, seed, { version }))();
    }
    return sampleRollouts(model, role, prompts, { ...sampling, constraints }, seed);
  }

  #start(
    role: Role,
    prompts: readonly PlacedPrompt[],
    sampling: SamplingOptions,
    seed: number,
    how: { version: number; weights?: Role },
  ): Promise<() => Promise<SampledRollouts>> {
    const { model, signal } = this.#parts;
    const servers = this.#parts.servers!;
    return startRollouts(model, role, prompts, sampling, seed, { servers, ...how }, signal);
  }

  get #version(): number {
    return this.#parts.version?.() ?? 0;
  }

  /** Optimizer steps between the policy that sampled and the one that is trained. */
  #staleness({ version }: SampledRollouts): Metrics {
    return version === undefined ? {} : { 'rollouts/staleness': this.#version - version };
  }

  #rollouts(sampled: SampledRollouts): Rollouts {
    return Rollouts.of(sampled, this.#parts.constraints);
  }

  /** Training has all tokens of an answer; whoever judges it has its text. */
  #noticeHidden({ samples }: SampledRollouts): void {
    const { model, notice } = this.#parts;
    if (this.#hiddenNoticed || notice === undefined) return;
    const found = samples.map(({ tokens }) => hiddenToken(tokens, model.tokenizer));
    const token = found.find((one) => one !== null);
    if (token === undefined) return;
    this.#hiddenNoticed = true;
    notice(
      `some answers have tokens that their text leaves out, such as ${token}. Rewards see the text, and so does samples.jsonl; the policy is trained on all tokens`,
    );
  }

  #judge(sampled: SampledRollouts, { learns = true, heldOut = false } = {}): Promise<Judgement> {
    const { reward, place, signal, onWait } = this.#parts;
    return phase('reward', () =>
      judgeSamples(reward, sampled, {
        ...{ learns, signal, onWait },
        place: (row) => place(row, heldOut),
      }),
    );
  }

  /** [S] of held-out answers; null without a gold reward. */
  async #gold(sampled: SampledRollouts): Promise<(number | null)[] | null> {
    const { gold = null, place, signal, onWait } = this.#parts;
    if (gold === null) return null;
    return await phase('reward', () =>
      scoreSamples(gold, sampled, { signal, onWait, place: (row) => place(row, true) }),
    );
  }

  /** What the scores of answers to these prompts are compared with; null: with nothing. */
  async #referencesOf(prompts: readonly PlacedPrompt[]): Promise<ReferenceScores | null> {
    const { comparison, sampling } = this.#options;
    if (comparison === null) return null;
    const { centre, answers } = comparison;
    if (centre !== null) return { prompts, scores: prompts.map(() => [centre]), answers: false };
    // The same for all answers to a batch, such as a greedy baseline's.
    if (this.#references?.prompts === prompts) return this.#references;
    const { referenceRole, seed } = this.#parts;
    const how = { ...sampling, samplesPerPrompt: answers };
    const own = rolloutSeed(seed, `reference ${prompts.map(({ row }) => row).join()}`);
    const sampled = await phase('rollout', () => this.#sampleAs(referenceRole, prompts, how, own));
    const judged = await this.#judge(sampled, { learns: false });
    const scores = prompts.map((): number[] => []);
    for (const [at, { group }] of sampled.samples.entries())
      scores[group]!.push(judged.scores[at]!);
    this.#references = { prompts, scores, answers: true };
    return this.#references;
  }

  #shape(
    { scores }: Judgement,
    { samples }: SampledRollouts,
    references: ReferenceScores | null,
    { scale }: { scale: boolean },
  ): Float64Array {
    const own = references && samples.map(({ group }) => references.scores[group]!);
    const compared = own && shapedAgainst(scores, own, this.#options.comparison!.shape);
    const scaled = compared ?? (scale ? this.#scale?.scale(scores) : null) ?? scores;
    const ended = samples.map((one) => one.ended);
    return shapeScores(scaled, ended, this.#options.shaping);
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
      scale: this.#scale?.state() ?? null,
    };
  }

  /** @throws Error if the state belongs to another reward or another kind of run */
  restore({ reward, kl, scale }: WorkerState): void {
    if (reward !== null) this.#parts.reward.restore?.(reward);
    if (kl !== null) this.#options.kl?.restore(kl);
    if (scale !== null) this.#scale?.restore(scale);
  }
}
