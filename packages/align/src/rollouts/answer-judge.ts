// Rewards of sampled answers: has them scored, compares the scores with those of reference answers,
// and shapes them to what is trained on.
import { phase } from '@keel/torch';
import { type RewardShape, shapedAgainst } from '../objectives/online/reward-shapes.ts';
import { type ScoreShaping, shapeScores } from '../objectives/online/token-rewards.ts';
import { moments } from '../objectives/online/whitening.ts';
import type { RunningMomentsState } from '../rewards/running-moments.ts';
import { type Judgement, judgeSamples, scoreSamples } from './judge-samples.ts';
import type { OnlineParts } from './online-parts.ts';
import type { PolicySampler } from './policy-sampler.ts';
import type { PlacedPrompt } from './prompt-source.ts';
import { RunningRewardScale } from './running-reward-scale.ts';
import { rolloutSeed, type SampledRollouts, type SamplingOptions } from './sample-rollouts.ts';

export type JudgeParts = Pick<
  OnlineParts,
  'reward' | 'gold' | 'referenceRole' | 'seed' | 'place' | 'signal' | 'onWait'
>;

export interface JudgingOptions {
  /** Of reference answers, except for their number. */
  sampling: SamplingOptions;
  /** `running`: scores are divided by the standard deviation of all so far. */
  shaping: ScoreShaping & { running: boolean };
  /** What scores are compared with before they are clipped; null: they are not. */
  comparison: RewardComparison | null;
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

interface ReferenceScores {
  prompts: readonly PlacedPrompt[];
  /** [P][M] */
  scores: readonly (readonly number[])[];
  /** Whether they are those of answers. */
  answers: boolean;
}

export class AnswerJudge {
  readonly #parts: JudgeParts;
  readonly #options: JudgingOptions;
  /** Samples reference answers. */
  readonly #sampler: Pick<PolicySampler, 'sampleAs'>;
  readonly #scale: RunningRewardScale | null;
  /** Scores of the reference answers to the latest prompts. */
  #references: ReferenceScores | null = null;

  constructor(
    parts: JudgeParts,
    options: JudgingOptions,
    sampler: Pick<PolicySampler, 'sampleAs'>,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.#sampler = sampler;
    this.#scale = options.shaping.running ? new RunningRewardScale() : null;
  }

  /** Judges answers that are trained on, which updates the running statistics. */
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

  /** Scores of held-out answers; no statistics change. */
  judgeHeldOut(sampled: SampledRollouts): Promise<Judgement> {
    return this.#judge(sampled, { learns: false, heldOut: true });
  }

  /** [S] gold scores of held-out answers; null without a gold reward. */
  async gold(sampled: SampledRollouts): Promise<(number | null)[] | null> {
    const { gold = null, place, signal, onWait } = this.#parts;
    if (gold === null) return null;
    return await phase('reward', () =>
      scoreSamples(gold, sampled, { signal, onWait, place: (row) => place(row, true) }),
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
    const sampled = await this.#sampler.sampleAs(referenceRole, prompts, how, own);
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

  /** Of the running scale; null without one. */
  state(): RunningMomentsState | null {
    return this.#scale?.state() ?? null;
  }

  restore(scale: RunningMomentsState | null): void {
    if (scale !== null) this.#scale?.restore(scale);
  }
}
