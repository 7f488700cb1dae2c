// Labels a D2PO batch (Singhal et al. 2024, arXiv:2405.01511, algorithm 1): the gold source
// compares two answers to some of the prompts. The discriminator is trained on these pairs and
// labels the answers to all other prompts.
import { phase } from '@keel/torch';
import { shuffledOrder } from '../../data/shuffle.ts';
import { chooseGold, goldPairs, goldPairsDue } from '../../objectives/online/gold-labels.ts';
import {
  bestAndWorst,
  type PreferencePair,
  wideEnough,
} from '../../objectives/online/preference-pairs.ts';
import type { RolloutLayout } from '../../objectives/online/rollout.ts';
import { moments } from '../../objectives/online/whitening.ts';
import type { AnsweredPrompt } from '../../rewards/score-answers.ts';
import type { Judged } from '../../rollouts/answer-judge.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import type { Rollouts } from '../../rollouts/rollouts.ts';
import { rolloutSeed, type SampledRollouts } from '../../rollouts/sample-rollouts.ts';
import type { SampleLine } from '../../runs/samples-log.ts';
import type { Metrics, TaskState } from '../../training/training-task.ts';
import type { Learner } from '../online/online-algorithm.ts';
import type { Discriminator } from './discriminator.ts';
import type { GoldPair } from './gold-memory.ts';

/** Sampled answers before they are labelled. */
export interface UnlabelledBatch {
  /** Index of the batch in the run. */
  number: number;
  rollouts: Pick<Rollouts, 'layout' | 'rows'>;
  sampled: SampledRollouts;
}

export interface LabelSettings {
  /** Share of the prompts for which the gold source compares two answers. */
  goldShare: number;
  /** Maximum gold pairs of the whole run; null: no limit. */
  goldBudget: number | null;
  goldChoice: 'random' | 'uncertain';
  /** Minimum gap of gold pairs that train the policy, in rewards. */
  minGap: number;
  /** Minimum gap of silver pairs, in log-odds. */
  minSilverGap: number;
  /** Number of gold pairs that the discriminator is trained on before its labels are used. */
  warmup: number;
}

export interface Labels {
  /** The pairs that train the policy. */
  pairs: readonly PreferencePair[];
  /** The gold source's scores and the answers they belong to; empty if it was not asked. */
  gold: { judged: Judged; sequences: readonly number[] };
  /** [S] */
  lines: Pick<SampleLine, 'discriminator' | 'label' | 'pair'>[];
  metrics: Metrics;
}

/** Sums over the run; part of a checkpoint. */
const noCounts = { prompts: 0, gold: 0, calls: 0, silver: 0, compared: 0, agreed: 0 };
type Counts = typeof noCounts;

export interface LabellerParts
  extends Pick<OnlineParts, 'limit' | 'recomputes' | 'countLearning' | 'seed'> {
  discriminator: Discriminator;
  settings: LabelSettings;
}

export class Labeller implements Learner {
  readonly #parts: LabellerParts;
  #counts: Counts = { ...noCounts };

  constructor(parts: LabellerParts) {
    this.#parts = parts;
  }

  /** @param judge has the gold source judge these answers */
  async label(
    batch: UnlabelledBatch,
    judge: (sequences: readonly number[]) => Promise<Judged>,
  ): Promise<Labels> {
    const { discriminator, settings } = this.#parts;
    const { sampled } = batch;
    const { layout } = batch.rollouts;
    const answered = this.#read(layout, sampled);
    let scores = await this.#score(layout, answered);
    const counts = this.#counts;
    const asked = this.#choose(batch, scores);
    const sequences = asked.flatMap(({ chosen, rejected }) => [chosen, rejected]);
    const judged = asked.length > 0 ? await judge(sequences) : nothing;
    const rewards = new Map(sequences.map((sequence, at) => [sequence, judged.shaped[at]!]));
    const gold = goldPairs(asked, rewards);
    counts.gold += asked.length;
    counts.calls += sequences.length;
    counts.compared += gold.pairs.length;
    counts.agreed += gold.agreed;
    const metrics: Metrics = {};
    if (gold.pairs.length > 0) {
      metrics['discriminator/agreement'] = gold.agreed / gold.pairs.length;
      metrics['discriminator/loss'] = await this.#learn(batch, answered, gold.pairs);
      scores = await this.#score(layout, answered);
    }
    const known = new Set(asked.map(({ chosen }) => layout.groups[chosen]!));
    const ready = counts.compared >= settings.warmup;
    const silver = ready
      ? bestAndWorst(layout, scores).pairs.filter(
          ({ chosen }) => !known.has(layout.groups[chosen]!),
        )
      : [];
    counts.silver += silver.length;
    const kept = {
      gold: wideEnough(gold.pairs, settings.minGap),
      silver: wideEnough(silver, settings.minSilverGap),
    };
    const pairs = [...kept.gold.pairs, ...kept.silver.pairs];
    const sides = new Map<number, 'chosen' | 'rejected'>(
      pairs.flatMap(({ chosen, rejected }) => [
        [chosen, 'chosen'],
        [rejected, 'rejected'],
      ]),
    );
    const labels = new Map([...labelled(asked, 'gold'), ...labelled(silver, 'silver')]);
    return {
      pairs,
      gold: { judged, sequences },
      lines: Array.from(scores, (score, sequence) => ({
        discriminator: score,
        ...(labels.has(sequence) && { label: labels.get(sequence)! }),
        ...(sides.has(sequence) && { pair: sides.get(sequence)! }),
      })),
      metrics: {
        ...metrics,
        'labels/gold': asked.length,
        'labels/silver': silver.length,
        'labels/none': sampled.prompts.length - gold.pairs.length - silver.length,
        'labels/below_gap': kept.gold.narrow + kept.silver.narrow,
        'labels/gold_total': counts.gold,
        'labels/gold_calls_total': counts.calls,
        'labels/silver_total': counts.silver,
        'discriminator/pairs': discriminator.memory.pairs.length,
        'discriminator/score': moments(scores).mean,
        ...(counts.compared > 0 && {
          'discriminator/agreement_so_far': counts.agreed / counts.compared,
        }),
      },
    };
  }

  /** Answers by prompt, as the discriminator reads them. */
  #read(layout: RolloutLayout, { prompts, samples }: SampledRollouts): AnsweredPrompt[] {
    const members = layout.members();
    return prompts.map((prompt, group) => {
      const texts = members.get(group)!.map((sequence) => samples[sequence]!.text);
      return this.#parts.discriminator.read(prompt, texts);
    });
  }

  /** [S] */
  async #score(layout: RolloutLayout, answered: readonly AnsweredPrompt[]): Promise<Float64Array> {
    const { discriminator } = this.#parts;
    const scores = await phase('discriminator', () => discriminator.scores(answered));
    const found = new Float64Array(layout.sequences);
    for (const [group, own] of layout.members()) {
      own.forEach((sequence, place) => {
        found[sequence] = scores[group]![place]!;
      });
    }
    return found;
  }

  /**
   * The pairs for the gold source to compare, chosen by the discriminator's current scores. Equal
   * scores can form a pair too.
   */
  #choose(
    { number, rollouts: { layout }, sampled: { prompts, samples } }: UnlabelledBatch,
    scores: Float64Array,
  ): PreferencePair[] {
    const { seed, settings } = this.#parts;
    const counts = this.#counts;
    counts.prompts += prompts.length;
    const count = goldPairsDue(
      { share: settings.goldShare, budget: settings.goldBudget },
      { prompts: counts.prompts, labelled: counts.gold },
    );
    // Two identical texts cannot be compared.
    const pairs = bestAndWorst(layout, scores, { ties: 'first' }).pairs.filter(
      ({ chosen, rejected }) => samples[chosen]!.text !== samples[rejected]!.text,
    );
    const margins = pairs.map(({ margin }) => margin);
    const order = shuffledOrder(pairs.length, rolloutSeed(seed, number), 0);
    return chooseGold(margins, order, { count, how: settings.goldChoice })
      .sort((a, b) => a - b)
      .map((place) => pairs[place]!);
  }

  /** @returns the mean loss of the passes */
  async #learn(
    { number, rollouts: { layout, rows } }: UnlabelledBatch,
    answered: readonly AnsweredPrompt[],
    pairs: readonly PreferencePair[],
  ): Promise<number> {
    const { discriminator, seed, limit, recomputes, countLearning: count } = this.#parts;
    const members = layout.members();
    const gold = pairs.map(({ chosen, rejected }): GoldPair => {
      const group = layout.groups[chosen]!;
      const own = members.get(group)!;
      const { prompt, answers } = answered[group]!;
      const pair = [chosen, rejected].map((sequence) => answers[own.indexOf(sequence)]!);
      return { row: rows[group]!, prompt, answers: pair };
    });
    discriminator.memory.add(gold);
    const learning = { limit, ...(recomputes && { recomputes }), ...(count && { count }) };
    const { loss } = await phase('discriminator', () =>
      discriminator.learn({ ...learning, seed: rolloutSeed(seed, number) }),
    );
    return loss;
  }

  state(): TaskState {
    const { values, tensors } = this.#parts.discriminator.state();
    return { values: { counts: { ...this.#counts }, discriminator: values }, tensors };
  }

  /** @throws Error if the state has no gold labels, or is that of another discriminator */
  check(values: unknown, tensors: TaskState['tensors']): void {
    const { counts, discriminator } = (values ?? {}) as Record<string, Partial<Counts> | undefined>;
    const whole = Object.keys(noCounts).every((name) =>
      Number.isFinite(counts?.[name as keyof Counts]),
    );
    if (!whole) throw new Error('the saved state has no counts of gold and silver labels');
    this.#parts.discriminator.check(discriminator, tensors);
  }

  /** @throws Error like `check` */
  restore(values: unknown, tensors: TaskState['tensors']): void {
    this.check(values, tensors);
    const { counts, discriminator } = values as { counts: Counts; discriminator: unknown };
    this.#parts.discriminator.restore(discriminator, tensors);
    this.#counts = { ...counts };
  }
}

const nothing: Judged = { scores: [], aspects: [], shaped: new Float64Array(0) };

const labelled = (
  pairs: readonly PreferencePair[],
  label: 'gold' | 'silver',
): [number, 'gold' | 'silver'][] =>
  pairs.flatMap(({ chosen, rejected }) => [
    [chosen, label],
    [rejected, label],
  ]);
