import { type RewardShape, shaped } from '../objectives/online/reward-shapes.ts';
import { scoreChecked } from './checked-outcomes.ts';
import type { Reward, RewardInput, RewardOutcome, RewardState } from './reward.ts';
import type { RewardConstraint } from './reward-constraint.ts';
import { RewardScale, type ScaleSpec } from './reward-scale.ts';
import type { RunningMomentsState } from './running-moments.ts';

/** One of several rewards. Its score is normalised, shaped, clipped and weighted, in this order. */
export interface RewardComponent {
  /** Unique among the components. */
  name: string;
  reward: Reward;
  weight: number;
  clip: readonly [low: number, high: number] | null;
  normalise: ScaleSpec;
  /** Default: `none`. */
  shape?: RewardShape;
}

/**
 * A weighted sum of rewards, with constraints on some of them.
 *
 * The score of an answer is the sum of weight * clip(shape(normalised score)) over the components
 * that score it, and of multiplier * (score - bound) over the constraints; null if no component
 * scores it. `score` changes no state. `learn` is for training steps: it first adds the scores to
 * the running statistics, and afterwards updates the multipliers.
 *
 * Aspects: each component's own score under its name, its aspects as `name.aspect`, and its
 * contribution to the sum as `name:term`.
 */
export class CompositeReward implements Reward {
  readonly name: string;
  readonly #components: readonly RewardComponent[];
  readonly #constraints: readonly RewardConstraint[];
  readonly #scales: ReadonlyMap<string, RewardScale>;

  /** @throws Error if two components have the same name, or a constraint names no component */
  constructor(
    components: readonly RewardComponent[],
    constraints: readonly RewardConstraint[] = [],
  ) {
    const names = components.map(({ name }) => name);
    const duplicate = names.find((name, index) => names.indexOf(name) !== index);
    if (duplicate !== undefined) {
      throw new Error(`two rewards are named "${duplicate}": give each a unique name`);
    }
    const unknown = constraints.find(({ reward }) => !names.includes(reward));
    if (unknown) {
      throw new Error(
        `a constraint is on "${unknown.reward}", but the rewards are ${names.join(', ')}`,
      );
    }
    this.name = names.join('+');
    this.#components = components;
    this.#constraints = constraints;
    this.#scales = new Map(
      components.map(({ name, normalise }) => [name, new RewardScale(normalise)]),
    );
  }

  async score(inputs: readonly RewardInput[], signal?: AbortSignal): Promise<RewardOutcome[]> {
    return this.#combine(await this.#judge(inputs, signal));
  }

  /** Scores a training step's answers and updates the state. */
  async learn(inputs: readonly RewardInput[], signal?: AbortSignal): Promise<RewardOutcome[]> {
    const judged = await this.#judge(inputs, signal);
    this.#components.forEach(({ name }, index) => {
      for (const score of givenScores(judged[index]!)) this.#scales.get(name)!.add(score);
    });
    const outcomes = this.#combine(judged);
    for (const constraint of this.#constraints) {
      const scores = givenScores(judged[this.#place(constraint)]!);
      if (scores.length === 0) continue;
      constraint.ascend(scores.reduce((sum, score) => sum + score, 0) / scores.length);
    }
    return outcomes;
  }

  get learns(): boolean {
    const running = [...this.#scales.values()].some((scale) => scale.state() !== null);
    return running || this.#constraints.length > 0;
  }

  /** Names of the rewards with an effect: those with a weight or a constraint. */
  get counted(): string[] {
    const bounded = new Set(this.#constraints.map(({ reward }) => reward));
    return this.#components.flatMap(({ name, weight }) =>
      weight !== 0 || bounded.has(name) ? [name] : [],
    );
  }

  /** The current multipliers, for the metrics of a step. */
  metrics(): Record<string, number> {
    return Object.fromEntries(
      this.#constraints.map(({ reward, multiplier }) => [
        `constraints/${reward}/multiplier`,
        multiplier,
      ]),
    );
  }

  state(): RewardState {
    const scales: Record<string, RunningMomentsState> = {};
    for (const [name, scale] of this.#scales) {
      const state = scale.state();
      if (state !== null) scales[name] = state;
    }
    const multipliers = this.#constraints.map(({ reward, multiplier }) => [reward, multiplier]);
    return { scales, multipliers: Object.fromEntries(multipliers) };
  }

  /** @throws Error if the state belongs to a different composition */
  restore({ scales, multipliers }: RewardState): void {
    const own = this.state();
    for (const [current, stored] of [
      [own.scales, scales],
      [own.multipliers, multipliers],
    ] as const) {
      const [wanted, found] = [current, stored].map((part) => Object.keys(part).sort().join(', '));
      if (wanted === found) continue;
      throw new Error(
        `the state belongs to different rewards: it has ${found || 'none'}, but this needs ${wanted || 'none'}`,
      );
    }
    for (const [name, state] of Object.entries(scales)) this.#scales.get(name)!.restore(state);
    for (const constraint of this.#constraints) constraint.restore(multipliers[constraint.reward]!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { reward } of this.#components) await reward[Symbol.asyncDispose]();
  }

  #place(constraint: RewardConstraint): number {
    return this.#components.findIndex(({ name }) => name === constraint.reward);
  }

  /** Outcomes by component, then by input. */
  async #judge(inputs: readonly RewardInput[], signal?: AbortSignal): Promise<RewardOutcome[][]> {
    const stop = new AbortController();
    const wanted = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const score = async (reward: Reward): Promise<RewardOutcome[]> => {
      try {
        return await scoreChecked(reward, inputs, wanted);
      } catch (error) {
        // The others end with this same error.
        stop.abort(error);
        throw error;
      }
    };
    const rewards = this.#components.map(({ reward }) => reward);
    const beside = rewards.map((reward) => (reward.concurrent ? score(reward) : null));
    const all = Promise.allSettled(beside);
    try {
      const judged: RewardOutcome[][] = [];
      for (const [place, reward] of rewards.entries()) {
        // Rewards that need a model run one after another, because they share the machine.
        judged.push(await (beside[place] ?? score(reward)));
      }
      return judged;
    } finally {
      await all;
    }
  }

  #combine(judged: readonly RewardOutcome[][]): RewardOutcome[] {
    return judged[0]!.map((_, index) => {
      const aspects: Record<string, number> = {};
      const notes: string[] = [];
      let sum: number | null = null;
      this.#components.forEach(({ name, weight, clip, shape = 'none' }, place) => {
        const { score, aspects: own = {}, note } = judged[place]![index]!;
        for (const [aspect, value] of Object.entries(own)) aspects[`${name}.${aspect}`] = value;
        if (note !== undefined) notes.push(`${name}: ${note}`);
        if (score === null) return;
        const scaled = shaped(this.#scales.get(name)!.apply(score), shape);
        const clipped = clip === null ? scaled : Math.min(Math.max(scaled, clip[0]), clip[1]);
        const constraints = this.#constraints.filter(({ reward }) => reward === name);
        const terms = constraints.map((constraint) => constraint.term(score));
        const term = terms.reduce((all, one) => all + one, weight * clipped);
        aspects[name] = score;
        aspects[`${name}:term`] = term;
        sum = (sum ?? 0) + term;
      });
      return { score: sum, aspects, ...(notes.length > 0 && { note: notes.join('; ') }) };
    });
  }
}

const givenScores = (outcomes: readonly RewardOutcome[]): number[] =>
  outcomes.flatMap(({ score }) => score ?? []);
