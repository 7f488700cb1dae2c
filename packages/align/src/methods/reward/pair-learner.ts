// Trains a reward model on pairs while another run goes on: it has its own optimizer, because it is
// trained between two steps of the policy.
import type { LanguageModel, Role } from '@keel/model';
import {
  AdamW,
  clipGradients,
  noGrad,
  type OptimiserState,
  type Steps,
  type Tensor,
} from '@keel/torch';
import type { MicroBatchLimit } from '../../batching/micro-batches.ts';
import { type PackedJudged, packJudged } from '../../batching/pack-judged.ts';
import { judgedLength, type TokenisedJudged } from '../../batching/tokenise-judged.ts';
import { workers } from '../../sharing/workers.ts';
import {
  type ForwardOptions,
  type Packing,
  type Pass,
  type PassLosses,
  passes,
} from '../../training/passes.ts';
import { NonFiniteLossError, type TaskState } from '../../training/training-task.ts';
import { rewardLosses } from './reward-losses.ts';

/** The better answer first. */
export interface LearntPair extends Pick<TokenisedJudged, 'prompt' | 'answers'> {
  /** Index of the row that its prompt is from. */
  row: number;
}

/** How the passes of a step are made. */
export interface LearningPasses {
  limit: MicroBatchLimit;
  recomputes?(tokens: number): boolean;
  /** Called for every training pass. */
  count?(pass: PackedJudged): void;
}

export interface PairLearnerParts {
  model: LanguageModel;
  role: Role;
  /** Trained parameters by name, including the head. */
  parameters: ReadonlyMap<string, Tensor>;
  weightDecay: number;
  maxGradNorm: number | null;
  /** As in files: prefix of its tensors in checkpoints. */
  name: string;
  /** As in messages: "the discriminator". */
  title: string;
}

const judgedPair = (pair: LearntPair) => ({
  ...pair,
  verdict: { kind: 'pair' as const, margin: 0 },
});

const packing: Packing<LearntPair, PackedJudged> = {
  tokens: judgedLength,
  pack: (pairs) => packJudged(pairs.map(judgedPair)),
  scored: () => 0,
};

export class PairLearner implements Disposable {
  readonly #parts: PairLearnerParts;
  readonly #optimiser: AdamW;

  constructor(parts: PairLearnerParts) {
    this.#parts = parts;
    this.#optimiser = new AdamW(new Map(parts.parameters), { weightDecay: parts.weightDecay });
  }

  /**
   * One optimizer step on these pairs.
   * @returns the sum of their losses
   * @throws NonFiniteLossError naming the prompts' rows
   */
  async step(pairs: readonly LearntPair[], rate: number, how: LearningPasses): Promise<number> {
    const { parameters, maxGradNorm, title } = this.#parts;
    const loss = await this.addGradient(pairs, how);
    await workers()?.reduceGradients(parameters.values());
    const norm = clipGradients(parameters.values(), maxGradNorm ?? 0);
    if (!Number.isFinite(norm)) {
      const rows = [...new Set(pairs.map(({ row }) => row))];
      throw new NonFiniteLossError(`${title}'s gradient has norm ${norm}`, rows);
    }
    this.#optimiser.step(rate);
    this.#optimiser.zeroGrad();
    return loss;
  }

  /**
   * Adds the gradient of the mean Bradley-Terry loss of these pairs.
   * @returns the sum of their losses
   */
  async addGradient(
    pairs: readonly LearntPair[],
    { limit, recomputes, count }: LearningPasses,
  ): Promise<number> {
    const { model, role, title } = this.#parts;
    const parts = { model, role, limit, ...(recomputes && { recomputes }) };
    const options = { divisor: pairs.length, name: `${title}'s loss`, ...(count && { count }) };
    let sum = 0;
    const work = (pass: Pass<LearntPair, PackedJudged>) =>
      pass.run((forward) => this.#losses(pass, forward));
    for await (const { found } of passes(parts, pairs, packing, options, work)) sum += found.loss;
    return sum;
  }

  *#losses(
    { batch, placed }: Pass<LearntPair, PackedJudged>,
    options: ForwardOptions,
  ): Steps<PassLosses> {
    // [R, 1]
    const { scores } = yield* this.#parts.model.readHeadSteps(batch.packed, batch.reads, options);
    const plain = { rankingLoss: 'plackett_luce', centring: 0 } as const;
    return { sum: rewardLosses(scores, placed.map(judgedPair), batch, plain).losses.sum() };
  }

  /** Weights and moments. */
  state(): TaskState {
    const { step, missed, tensors: moments } = this.#optimiser.state();
    const named = (kind: 'weight' | 'moment', tensors: ReadonlyMap<string, Tensor>) =>
      [...tensors].map(([name, tensor]) => [this.#prefix(kind) + name, tensor] as const);
    return {
      values: { step, ...(missed && { missed }) },
      tensors: new Map([...named('weight', this.#parts.parameters), ...named('moment', moments)]),
    };
  }

  /** @throws Error if the state has none, or another adapter */
  check(values: unknown, tensors: TaskState['tensors']): void {
    const { step } = (values ?? {}) as Record<string, unknown>;
    const prefix = this.#prefix('weight');
    const fits = [...this.#parts.parameters].every(
      ([name, own]) => tensors.get(prefix + name)?.shape.join() === own.shape.join(),
    );
    if (fits && Number.isInteger(step)) return;
    const { name } = this.#parts;
    throw new Error(`the saved state has no ${name}, or one with another adapter`);
  }

  /** @throws Error like `check` */
  restore(values: unknown, tensors: TaskState['tensors']): void {
    this.check(values, tensors);
    const { step, missed } = values as Pick<OptimiserState, 'step' | 'missed'>;
    const prefix = this.#prefix('moment');
    const moments = [...tensors].filter(([name]) => name.startsWith(prefix));
    noGrad(() => {
      for (const [name, own] of this.#parts.parameters) {
        own.copy_(tensors.get(this.#prefix('weight') + name)!);
      }
      this.#optimiser.restore({
        ...{ step, missed },
        tensors: new Map(moments.map(([name, one]) => [name.slice(prefix.length), one])),
      });
    });
  }

  #prefix(kind: 'weight' | 'moment'): string {
    return `${this.#parts.name}/${kind}/`;
  }

  /** Frees the optimizer; the model owns adapter and head. */
  [Symbol.dispose](): void {
    this.#optimiser.dispose();
  }
}
