// Training on whole rankings (Plackett-Luce DPO), whatever the objective.
import { fromTypedArray, later, type Steps, type Unread } from '@keel/torch';
import type { PackedRankings } from '../../batching/tokenise-ranking.ts';
import type { RankedObjective } from '../../objectives/ranked.ts';
import type { Reference, RowScoring } from '../../reference/reference.ts';
import { scoreAnswersSteps } from '../../rewards/head-scores.ts';
import type { ForwardOptions, Pass, PassLosses } from '../../training/passes.ts';
import { RowTask, type RowTaskParts } from '../../training/row-task.ts';
import { joinStates, type Metrics, type TaskState } from '../../training/training-task.ts';
import { type PlacedRanking, type RankingSource, rankingPacking } from './ranking-source.ts';
import { type PassNumbers, RankingTotals } from './ranking-totals.ts';

export interface RankingTaskParts extends RowTaskParts<RankingSource> {
  objective: RankedObjective;
  beta: number;
  /** Beta of each optimizer step, counted from 0 (default: `beta`). */
  betaAt?: ((step: number) => number) | null;
  reference: Reference<PackedRankings>;
}

/**
 * How the reference scores rankings.
 * @param answers most answers of a ranking
 */
export const rankingScoring = (answers: number): RowScoring<PackedRankings> => ({
  answers,
  firstTokens: false,
  counts: ({ offsets }) => Array.from(offsets.subarray(1), (end, at) => end - offsets[at]!),
  score: (model, batch) => scoreAnswersSteps(model, batch, false),
});

type RankingPass = Pass<PlacedRanking, PackedRankings>;

export class RankingTask extends RowTask<RankingSource> {
  readonly #parts: RankingTaskParts;
  #steps = 0;

  constructor(parts: RankingTaskParts) {
    super(parts, 'a run on rankings');
    this.#parts = parts;
  }

  async step(): Promise<Metrics> {
    const beta = this.#beta;
    const placed = await this.nextRows();
    const totals = new RankingTotals(beta);
    await this.#run(placed, totals, placed.length);
    this.#parts.reference.endStep();
    this.#steps += 1;
    return this.endStep(totals, { ...(this.#parts.betaAt && { beta }) });
  }

  evaluate(): Promise<Metrics | null> {
    const totals = new RankingTotals(this.#beta);
    return this.evaluateRows(totals, (placed) => this.#run(placed, totals, null));
  }

  /** Beta of the next step. */
  get #beta(): number {
    const { beta, betaAt } = this.#parts;
    return betaAt?.(this.#steps) ?? beta;
  }

  /** With a divisor, adds the gradient of the rankings' losses. */
  async #run(
    placed: readonly PlacedRanking[],
    totals: RankingTotals,
    divisor: number | null,
  ): Promise<void> {
    const { reference } = this.#parts;
    const work = async (pass: RankingPass) => {
      const known = await reference.logprobs(pass);
      return { known, ...(await pass.run((options) => this.#losses(pass, known.whole, options))) };
    };
    const how = { divisor };
    for await (const { pass, found } of this.passes(placed, rankingPacking, how, work)) {
      const { known, loss, numbers } = found;
      reference.learn(pass, known);
      totals.add({ loss, ...numbers });
    }
  }

  /** @param known [A], under the reference */
  *#losses(
    { batch }: RankingPass,
    known: readonly number[],
    { training, recomputation }: ForwardOptions,
  ): Steps<PassLosses & { numbers: Unread<Omit<PassNumbers, 'loss'>> }> {
    const { model, objective } = this.#parts;
    const scoring = scoreAnswersSteps(model, batch, training, recomputation);
    const { sums: policy, entropySum } = yield* scoring; // [A]
    const like = { dtype: policy.dtype, device: policy.device };
    const reference = fromTypedArray(Float64Array.from(known)).to(like);
    const { offsets, ranks } = batch;
    // [G]
    const losses = objective.loss({ policy, reference, offsets, ranks }, { beta: this.#beta });
    const numbers = later({ policy, entropy: entropySum }, (read) => {
      const [ofPolicy, ofReference, ofRanks] = [read.policy, known, [...ranks]].map((values) =>
        byRanking(values, batch),
      ) as [number[][], number[][], number[][]];
      return {
        rankings: ofRanks.map((own, at) => ({
          ...{ policy: ofPolicy[at]!, reference: ofReference[at]!, ranks: own },
        })),
        entropy: read.entropy[0]!,
        scored: batch.scored.rows.length,
        tokens: batch.unsharedTokens,
      };
    });
    return { sum: losses.sum(), numbers };
  }

  override state(): TaskState {
    const state = super.state();
    state.values.steps = this.#steps;
    return joinStates(state, this.#parts.reference.state());
  }

  override check(state: TaskState): void {
    super.check(state);
    if (!Number.isInteger(state.values.steps)) {
      throw new Error('the saved state is not one of a run on rankings');
    }
    this.#parts.reference.check(state);
  }

  override restore(state: TaskState): void {
    super.restore(state);
    this.#steps = state.values.steps as number;
    this.#parts.reference.restore(state);
  }
}

/** From numbers of all answers to those of each ranking's. */
const byRanking = (values: readonly number[], { offsets }: PackedRankings): number[][] =>
  Array.from(offsets.subarray(1), (end, at) => values.slice(offsets[at]!, end));
