// Training on whole rankings (Plackett-Luce DPO). Knows rankings and passes; which objective it is,
// it does not know.
import { setImmediate as letOthersIn } from 'node:timers/promises';
import {
  fromTypedArray,
  inTurns,
  phase,
  type Recomputation,
  type Steps,
  type Tensor,
} from '@keel/torch';
import { type MicroBatchLimit, splitMicroBatches } from '../../batching/micro-batches.ts';
import {
  type PackedRankings,
  packRankings,
  rankingTokens,
} from '../../batching/tokenise-ranking.ts';
import type { RankedObjective } from '../../objectives/ranked.ts';
import { KeptScores } from '../../reference/reference-scores.ts';
import { scoreAnswersSteps } from '../../rewards/head-scores.ts';
import { RowTask, type RowTaskParts } from '../../training/row-task.ts';
import { runPass } from '../../training/run-pass.ts';
import { type Metrics, NonFiniteLossError, type TaskState } from '../../training/training-task.ts';
import type { PlacedRanking, RankingSource } from './ranking-source.ts';
import { RankingTotals } from './ranking-totals.ts';

/** The reference's log-probability of each answer of a ranking, the best first. */
export class RankingReference extends KeptScores<PackedRankings> {
  protected *compute(batch: PackedRankings): Steps<number[][]> {
    const score = scoreAnswersSteps(this.model, batch, false);
    const { sums } = yield* this.model.asSteps(this.role, score);
    return byRanking(sums.toArray(), batch);
  }
}

export interface RankingTaskParts extends RowTaskParts<RankingSource> {
  objective: RankedObjective;
  beta: number;
  /** In its place, that of each optimiser step, counted from 0. */
  betaAt?: ((step: number) => number) | null;
  limit: MicroBatchLimit;
  /**
   * Whether a pass of so many tokens computes its activations again in backward; never, unless
   * told.
   */
  recomputes?(tokens: number): boolean;
  reference: RankingReference;
  evaluationReference: RankingReference | null;
}

export class RankingTask extends RowTask<RankingSource> {
  readonly #parts: RankingTaskParts;
  #steps = 0;

  constructor(parts: RankingTaskParts) {
    super(parts, 'a run on rankings');
    this.#parts = parts;
  }

  async step(): Promise<Metrics> {
    const { source, batchSize, reference } = this.#parts;
    const placed = await phase('data', () => source.next(batchSize));
    this.rows = placed.map(({ row }) => row);
    const totals = new RankingTotals(this.#beta);
    await this.#passes(placed, reference, totals, true);
    this.tokens += totals.tokens;
    const scheduled = this.#parts.betaAt && { beta: this.#beta };
    this.#steps += 1;
    return { ...totals.metrics(), ...scheduled, epoch: source.epoch, num_tokens: this.tokens };
  }

  async evaluate(): Promise<Metrics | null> {
    const { evaluation, evaluationReference } = this.#parts;
    if (evaluation === null) return null;
    const totals = new RankingTotals(this.#beta);
    for (const indices of this.evaluationRows()) {
      const placed = await evaluation.read(indices);
      if (placed.length > 0) await this.#passes(placed, evaluationReference!, totals, false);
    }
    if (totals.rankings === 0) evaluation.refuseNothingLeft();
    return totals.metrics();
  }

  get #beta(): number {
    const { beta, betaAt } = this.#parts;
    return betaAt?.(this.#steps) ?? beta;
  }

  /**
   * Runs rankings through the model pass by pass; with `training`, adds the gradient of their mean
   * loss.
   */
  async #passes(
    placed: readonly PlacedRanking[],
    reference: RankingReference,
    totals: RankingTotals,
    training: boolean,
  ): Promise<void> {
    const { model, role, objective, limit, recomputes } = this.#parts;
    const beta = this.#beta;
    const lengths = placed.map(({ ranking }) => rankingTokens(ranking));
    for (const pass of splitMicroBatches(lengths, limit)) {
      const rows = pass.map((at) => placed[at]!.row);
      const batch = phase('data', () => packRankings(pass.map((at) => placed[at]!.ranking)));
      if (training) {
        const unknown = rows.some((row) => !reference.has(row));
        this.count(batch.packed, batch.scored.rows.length, unknown ? 1 : 0);
      }
      using known = await phase('reference', () => inTurns(reference.steps(batch, rows))); // [G, W]
      await letOthersIn();
      const wide = known.toArray();
      const width = wide.length / rows.length;
      const flat = rows.flatMap((_, at) => {
        const own = batch.offsets[at + 1]! - batch.offsets[at]!;
        return wide.slice(at * width, at * width + own);
      });
      const forward = function* (recomputation: Recomputation | null): Steps<Tensor> {
        const score = scoreAnswersSteps(model, batch, training, recomputation);
        const { sums: policy, entropySum } = yield* model.asSteps(role, score); // [A]
        const like = { dtype: policy.dtype, device: policy.device };
        const scores = {
          policy,
          reference: fromTypedArray(Float64Array.from(flat)).to(like),
          ...{ offsets: batch.offsets, ranks: batch.ranks },
        };
        const total = objective.loss(scores, { beta }).sum();
        const loss = total.item();
        if (!Number.isFinite(loss)) {
          throw new NonFiniteLossError(`the loss is ${loss}`, rows, { heldOut: !training });
        }
        const ofPolicy = byRanking(policy.detach().toArray(), batch);
        const ofReference = byRanking(flat, batch);
        totals.add(
          byRanking([...batch.ranks], batch).map((ranks, at) => ({
            ...{ policy: ofPolicy[at]!, reference: ofReference[at]!, ranks },
          })),
          {
            ...{ loss, entropy: entropySum.item(), scored: batch.scored.rows.length },
            tokens: batch.unsharedTokens,
          },
        );
        return total;
      };
      await runPass(forward, {
        divisor: training ? placed.length : null,
        recomputes: recomputes?.(batch.packed.tokens.length) ?? false,
      });
    }
  }

  override state(): TaskState {
    const state = super.state();
    state.values.steps = this.#steps;
    state.tensors.set('reference', fromTypedArray(this.#parts.reference.values));
    return state;
  }

  override check(state: TaskState): void {
    super.check(state);
    const known = state.tensors.get('reference');
    if (known === undefined || !Number.isInteger(state.values.steps)) {
      throw new Error('the saved state is not one of a run on rankings');
    }
    this.#parts.reference.check(known.toTypedArray() as Float32Array);
  }

  override restore(state: TaskState): void {
    super.restore(state);
    this.#steps = state.values.steps as number;
    const known = state.tensors.get('reference')!.toTypedArray();
    this.#parts.reference.restore(known as Float32Array);
  }
}

/** The numbers of each ranking's answers, of those of all answers. */
const byRanking = (values: readonly number[], { offsets }: PackedRankings): number[][] =>
  Array.from(offsets.subarray(1), (end, at) => values.slice(offsets[at]!, end));
