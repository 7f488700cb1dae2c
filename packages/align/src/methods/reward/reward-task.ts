// Reward modelling: a scalar head scores answers at their ends, and the scores are compared.
import { fromTypedArray, later, type Steps, type Tensor, type Unread } from '@keel/torch';
import { type PackedJudged, packJudged } from '../../batching/pack-judged.ts';
import { judgedLength } from '../../batching/tokenise-judged.ts';
import { headOverlap, unitScores } from '../../objectives/length-heads.ts';
import { tokenNll } from '../../objectives/token-nll.ts';
import { type HeadSubsets, seesRow } from '../../rewards/head-subsets.ts';
import type { ForwardOptions, Packing, Pass, PassLosses } from '../../training/passes.ts';
import { RowTask, type RowTaskParts } from '../../training/row-task.ts';
import type { Metrics } from '../../training/training-task.ts';
import type { JudgedSource, PlacedJudged } from './judged-source.ts';
import { type LengthHead, LengthTerms } from './length-terms.ts';
import { itemsOf, type RewardObjective, rewardLosses } from './reward-losses.ts';
import { type PassNumbers, RewardTotals, type ScoredRows } from './reward-totals.ts';

export interface RewardTaskParts extends RowTaskParts<JudgedSource> {
  objective: RewardObjective;
  /** Weight of the language-model term, the mean token loss of the best answers; 0: none. */
  lmWeight: number;
  subsets: HeadSubsets;
  /** The second of two heads scores length; null: every head is one of an ensemble. */
  lengthHead?: LengthHead | null;
}

/** What the losses of a pass are multiplied with before they are added up. */
interface Weights {
  /** Of an item of a row under a head. */
  of(row: number, head: number): number;
  /** Of a token of the language-model term. */
  token: number;
}

type RewardPass = Pass<PlacedJudged, PackedJudged>;

export class RewardTask extends RowTask<JudgedSource> {
  readonly #parts: RewardTaskParts;
  readonly #heads: number;
  readonly #packing: Packing<PlacedJudged, PackedJudged>;
  /** The held-out rows at the latest evaluation of this process; null before one. */
  evaluated: ScoredRows | null = null;

  constructor(parts: RewardTaskParts) {
    super(parts, 'a run of a reward model');
    this.#parts = parts;
    this.#heads = parts.lengthHead ? 1 : parts.model.scoreHead(parts.role).dim(0);
    this.#packing = {
      tokens: ({ judged }) => judgedLength(judged),
      pack: (placed) => packJudged(placed.map(({ judged }) => judged)),
      scored: ({ best }) => (parts.lmWeight > 0 ? best.rows.length : 0),
    };
  }

  async step(): Promise<Metrics> {
    const placed = await this.nextRows();
    const totals = new RewardTotals(this.#parts);
    await this.#run(placed, totals, this.#weightsOfStep(placed));
    return this.endStep(totals);
  }

  async evaluate(): Promise<Metrics | null> {
    const totals = new RewardTotals(this.#parts);
    const metrics = await this.evaluateRows(totals, (placed) => this.#run(placed, totals, null));
    if (metrics === null) return null;
    this.evaluated = totals.scored;
    return { ...metrics, ...totals.heldOutMetrics() };
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

  /** With weights, adds the gradient of the rows' weighted losses. */
  async #run(
    placed: readonly PlacedJudged[],
    totals: RewardTotals,
    weights: Weights | null,
  ): Promise<void> {
    const { lengthHead = null } = this.#parts;
    using terms = weights && lengthHead && new LengthTerms(lengthHead);
    if (terms !== null) await this.#scoreStep(placed, terms);
    // The weights divide by the step's counts already.
    const how = { divisor: weights && 1 };
    const work = (pass: RewardPass) =>
      pass.run((options) => this.#losses(pass, { weights, terms }, options));
    for await (const { pass, found } of this.passes(placed, this.#packing, how, work)) {
      const judged = pass.placed.map((one) => one.judged);
      totals.add(judged, pass.batch, found.numbers);
    }
  }

  /** Scores all answers of a step of several passes, without gradient. */
  async #scoreStep(placed: readonly PlacedJudged[], terms: LengthTerms): Promise<void> {
    const { model, role } = this.#parts;
    const head = model.scoreHead(role);
    const options = { divisor: null, training: true };
    const work = async (pass: RewardPass) => {
      if (pass.passes === 1) return null;
      const { packed, reads } = pass.batch;
      const reading = model.readHeadSteps(packed, reads, { training: true });
      return pass.compute(scoresOnly(model.asSteps(role, reading), head));
    };
    for await (const { pass, found } of this.passes(placed, this.#packing, options, work)) {
      if (found === null) return;
      terms.add(found, pass.batch.lengths);
    }
  }

  *#losses(
    { batch, placed, index }: RewardPass,
    { weights, terms }: { weights: Weights | null; terms: LengthTerms | null },
    { training, recomputation }: ForwardOptions,
  ): Steps<PassLosses & { numbers: Unread<PassNumbers> }> {
    const { model, role, objective, lmWeight, lengthHead = null } = this.#parts;
    const scored = lmWeight > 0 ? batch.best : null;
    const reading = { training, recomputation, scored };
    // [R, K]
    const read = yield* model.readHeadSteps(batch.packed, batch.reads, reading);
    const { tokens } = read;
    const head = model.scoreHead(role);
    const scores = lengthHead === null ? read.scores : unitScores(read.scores, head);
    const judged = placed.map((one) => one.judged);
    // Comparisons are ranked by the sum of quality and length.
    const ranked = lengthHead === null ? scores : scores.sum(1, true);
    const { losses, rows } = rewardLosses(ranked, judged, batch, objective); // [I, K]
    const heads = this.#heads;
    const factors = rows.flatMap((at) =>
      Array.from({ length: heads }, (_, head) => weights?.of(placed[at]!.row, head) ?? 1 / heads),
    );
    const factor = fromTypedArray(Float64Array.from(factors))
      .to({ dtype: losses.dtype, device: losses.device })
      .view(-1, heads);
    const weighted = losses.mul(factor).sum();
    const nll = tokens && tokenNll(tokens.logprobs).sum();
    const own = nll === null ? weighted : weighted.add(nll.mul(weights?.token ?? 0));
    const term = terms?.of(index, scores, batch.lengths, head) ?? null;
    const known = scores.detach();
    const tensors = {
      ...{ rewardLoss: losses.mean(1).sum(), nll },
      // With a length head, the reward is that of quality alone.
      scores: lengthHead === null ? known : known.narrow(1, 0, 1),
      lengths: lengthHead && known.select(1, 1),
      overlap: lengthHead && headOverlap(head.detach()),
    };
    return {
      sum: term === null ? own : own.add(term),
      own,
      numbers: later(tensors, (found) => ({
        rewardLoss: found.rewardLoss[0]!,
        items: rows.length,
        nll: found.nll?.[0] ?? null,
        scores: found.scores,
        ...(lengthHead !== null && {
          length: { scores: found.lengths!, overlap: found.overlap![0]! },
        }),
      })),
    };
  }
}

function* scoresOnly(reading: Steps<{ scores: Tensor }>, head: Tensor): Steps<Tensor> {
  return unitScores((yield* reading).scores, head);
}
