// Reward modelling: answers are scored by a scalar head at their ends, and compared. Knows rows and
// passes.
import { fromTypedArray, phase, type Recomputation, type Steps, type Tensor } from '@keel/torch';
import { type MicroBatchLimit, splitMicroBatches } from '../../batching/micro-batches.ts';
import { type PackedJudged, packJudged } from '../../batching/pack-judged.ts';
import { judgedLength } from '../../batching/tokenise-judged.ts';
import { tokenNll } from '../../objectives/token-nll.ts';
import { type HeadSubsets, seesRow } from '../../rewards/head-subsets.ts';
import { RowTask, type RowTaskParts } from '../../training/row-task.ts';
import { runPass } from '../../training/run-pass.ts';
import { type Metrics, NonFiniteLossError } from '../../training/training-task.ts';
import type { JudgedSource, PlacedJudged } from './judged-source.ts';
import { itemsOf, type RewardObjective, rewardLosses } from './reward-losses.ts';
import { RewardTotals, type ScoredRows } from './reward-totals.ts';

export interface RewardTaskParts extends RowTaskParts<JudgedSource> {
  objective: RewardObjective;
  /** Weight of the language-model term, the mean token loss of the best answers; 0: none. */
  lmWeight: number;
  subsets: HeadSubsets;
  limit: MicroBatchLimit;
  /**
   * Whether a pass of so many tokens computes its activations again in backward; never, unless
   * told.
   */
  recomputes?(tokens: number): boolean;
}

/** What the losses of a pass are multiplied with before they are added up. */
interface Weights {
  /** Of an item of a row under a head. */
  of(row: number, head: number): number;
  /** Of a token of the language-model term. */
  token: number;
}

export class RewardTask extends RowTask<JudgedSource> {
  readonly #parts: RewardTaskParts;
  readonly #heads: number;
  /** The held-out rows at the latest evaluation of this process; null before one. */
  evaluated: ScoredRows | null = null;

  constructor(parts: RewardTaskParts) {
    super(parts, 'a run of a reward model');
    this.#parts = parts;
    this.#heads = parts.model.scoreHead(parts.role).dim(0);
  }

  async step(): Promise<Metrics> {
    const { source, batchSize } = this.#parts;
    const placed = await phase('data', () => source.next(batchSize));
    this.rows = placed.map(({ row }) => row);
    const totals = new RewardTotals();
    await this.#passes(placed, totals, this.#weightsOfStep(placed));
    this.tokens += totals.tokens;
    return {
      ...totals.metrics(this.#parts.lmWeight),
      epoch: source.epoch,
      num_tokens: this.tokens,
    };
  }

  async evaluate(): Promise<Metrics | null> {
    const { evaluation } = this.#parts;
    if (evaluation === null) return null;
    const totals = new RewardTotals();
    for (const indices of this.evaluationRows()) {
      await this.#passes(await evaluation.read(indices), totals, null);
    }
    if (totals.items === 0) evaluation.refuseNothingLeft();
    this.evaluated = totals.scored;
    return { ...totals.metrics(this.#parts.lmWeight), ...totals.heldOutMetrics() };
  }

  /** Means over the whole step: each head's over the rows that it sees, then over heads. */
  #weightsOfStep(placed: readonly PlacedJudged[]): Weights {
    const { subsets, lmWeight } = this.#parts;
    const items = Array<number>(this.#heads).fill(0);
    let tokens = 0;
    for (const { row, judged } of placed) {
      for (let head = 0; head < this.#heads; head++) {
        if (seesRow(subsets, head, row)) items[head]! += itemsOf(judged);
      }
      if (judged.verdict.kind === 'process') continue;
      const [best] = judged.answers;
      const first = judged.prompt.length > 0 ? 0 : 1;
      tokens += best!.scored.filter((one, at) => one && at >= first).length;
    }
    return {
      of: (row, head) => (seesRow(subsets, head, row) ? 1 / (items[head]! * this.#heads) : 0),
      token: tokens === 0 ? 0 : lmWeight / tokens,
    };
  }

  /**
   * Runs rows through the model pass by pass; with weights, adds the gradient of their weighted
   * losses.
   */
  async #passes(
    placed: readonly PlacedJudged[],
    totals: RewardTotals,
    weights: Weights | null,
  ): Promise<void> {
    const { limit, recomputes, lmWeight } = this.#parts;
    const lengths = placed.map(({ judged }) => judgedLength(judged));
    for (const pass of splitMicroBatches(lengths, limit)) {
      const members = pass.map((index) => placed[index]!);
      const batch = phase('data', () => packJudged(members.map(({ judged }) => judged)));
      if (weights) this.count(batch.packed, lmWeight > 0 ? batch.best.rows.length : 0);
      await runPass(
        (recomputation) => this.#forward(batch, members, totals, { weights, recomputation }),
        {
          // The weights have the step's counts in them.
          divisor: weights && 1,
          recomputes: recomputes?.(batch.packed.tokens.length) ?? false,
        },
      );
    }
  }

  /** @returns the weighted sum of the pass's losses; without weights their sum */
  *#forward(
    batch: PackedJudged,
    members: readonly PlacedJudged[],
    totals: RewardTotals,
    { weights, recomputation }: { weights: Weights | null; recomputation: Recomputation | null },
  ): Steps<Tensor> {
    const { model, role, objective, lmWeight } = this.#parts;
    const training = weights !== null;
    const scored = lmWeight > 0 ? batch.best : null;
    const { scores, tokens } = yield* model.asSteps(
      role,
      model.readHeadSteps(batch.packed, batch.reads, { training, recomputation, scored }),
    ); // [R, K]
    const judged = members.map(({ judged }) => judged);
    const { losses, rows } = rewardLosses(scores, judged, batch, objective); // [I, K]
    const heads = this.#heads;
    const factors = rows.flatMap((at) =>
      Array.from({ length: heads }, (_, head) => weights?.of(members[at]!.row, head) ?? 1 / heads),
    );
    const factor = fromTypedArray(Float64Array.from(factors))
      .to({ dtype: losses.dtype, device: losses.device })
      .view(-1, heads);
    let total = losses.mul(factor).sum();
    const perItem = losses.detach().mean(1).sum().item();
    if (tokens !== null) {
      const nll = tokenNll(tokens.logprobs).sum();
      totals.nllSum += nll.item();
      totals.nllTokens += batch.best.rows.length;
      total = total.add(nll.mul(weights?.token ?? 0));
    }
    if (!Number.isFinite(total.item())) {
      const places = members.map(({ row }) => row);
      throw new NonFiniteLossError(`the loss is ${total.item()}`, places, { heldOut: !training });
    }
    totals.lossSum += perItem;
    totals.items += rows.length;
    totals.add(judged, batch, scores.detach().reshape(-1).toArray() as number[]);
    return total;
  }
}
