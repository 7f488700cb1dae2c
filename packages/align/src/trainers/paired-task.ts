// Training on pairs (DPO and its family). Knows pairs and passes; which objective it is, it does not know.
import { setImmediate as letOthersIn } from 'node:timers/promises';
import {
  fromTypedArray,
  inTurns,
  phase,
  type Recomputation,
  type Steps,
  type Tensor,
} from '@keel/torch';
import { type MicroBatchLimit, splitMicroBatches } from '../batching/micro-batches.ts';
import { packedTokens, packPairs } from '../batching/pack-pairs.ts';
import type { PairedObjective, PairedOptions, PairedScores } from '../objectives/paired.ts';
import type { PairSource, PlacedPair } from './pair-source.ts';
import { PairTotals } from './pair-totals.ts';
import type { ReferenceScores } from './reference-scores.ts';
import { RowTask, type RowTaskParts } from './row-task.ts';
import { runPass } from './run-pass.ts';
import { scorePairsSteps } from './score-pairs.ts';
import { type Metrics, NonFiniteLossError, type TaskState } from './training-task.ts';

export interface PairedTaskParts extends RowTaskParts<PairSource> {
  objective: PairedObjective;
  objectiveOptions: PairedOptions;
  limit: MicroBatchLimit;
  /** Whether a pass of so many tokens computes its activations again in backward; never, unless told. */
  recomputes?(tokens: number): boolean;
  /** null for an objective without reference. */
  reference: ReferenceScores | null;
  evaluationReference: ReferenceScores | null;
}

export class PairedTask extends RowTask<PairSource> {
  readonly #parts: PairedTaskParts;

  constructor(parts: PairedTaskParts) {
    super(parts, 'a run on pairs');
    this.#parts = parts;
  }

  async step(): Promise<Metrics> {
    const { source, batchSize, reference } = this.#parts;
    const pairs = await phase('data', () => source.next(batchSize));
    this.rows = pairs.map(({ row }) => row);
    const totals = await this.#passes(pairs, reference, true);
    this.tokens += totals.tokens;
    return { ...totals.metrics(), epoch: source.epoch, num_tokens: this.tokens };
  }

  async evaluate(): Promise<Metrics | null> {
    const { evaluation, evaluationReference } = this.#parts;
    if (evaluation === null) return null;
    const totals = this.#totals(evaluationReference);
    for (const indices of this.evaluationRows()) {
      await this.#passes(await evaluation.read(indices), evaluationReference, false, totals);
    }
    if (totals.pairs === 0) evaluation.refuseNothingLeft();
    return totals.metrics();
  }

  #totals(reference: ReferenceScores | null): PairTotals {
    return new PairTotals(this.#parts.objectiveOptions.beta, reference !== null);
  }

  /** Runs pairs through the model pass by pass; with `training`, adds the gradient of their mean loss. */
  async #passes(
    pairs: readonly PlacedPair[],
    reference: ReferenceScores | null,
    training: boolean,
    totals = this.#totals(reference),
  ): Promise<PairTotals> {
    const { model, role, objective, objectiveOptions, limit } = this.#parts;
    const recomputes = (tokens: number): boolean => this.#parts.recomputes?.(tokens) ?? false;
    for (const pass of splitMicroBatches(
      pairs.map(({ pair }) => packedTokens(pair)),
      limit,
    )) {
      const batch = phase('data', () => packPairs(pass.map((index) => pairs[index]!.pair)));
      const rows = pass.map((index) => pairs[index]!.row);
      if (training) {
        const unknown = reference !== null && rows.some((row) => !reference.has(row));
        this.count(batch.packed, batch.scored.rows.length, unknown ? 1 : 0);
      }
      using referenceSums =
        reference && (await phase('reference', () => inTurns(reference.steps(batch, rows)))); // [2P]
      await letOthersIn();
      const forward = function* (recomputation: Recomputation | null): Steps<Tensor> {
        const score = scorePairsSteps(model, batch, training, recomputation);
        const policy = yield* model.asSteps(role, score);
        const scores = pairedScores(policy.sums, referenceSums, batch.counts);
        const losses = objective.loss(scores, objectiveOptions); // [P]
        const total = losses.sum();
        const value = total.item();
        if (!Number.isFinite(value))
          throw new NonFiniteLossError(`the loss is ${value}`, rows, { heldOut: !training });
        totals.add(batch, scores, value, policy);
        return total;
      };
      await runPass(forward, {
        divisor: training ? pairs.length : null,
        recomputes: recomputes(batch.packed.tokens.length),
      });
    }
    return totals;
  }

  override state(): TaskState {
    const state = super.state();
    const known = this.#parts.reference?.values;
    if (known !== undefined) state.tensors.set('reference', fromTypedArray(known));
    return state;
  }

  override check(state: TaskState): void {
    super.check(state);
    const { reference } = this.#parts;
    const known = state.tensors.get('reference');
    if ((known !== undefined) !== (reference !== null)) {
      throw new Error(
        `the saved state is of a run ${known ? 'with' : 'without'} a reference, and this one is ${known ? 'without' : 'with'} one`,
      );
    }
    if (known !== undefined) reference!.check(known.toTypedArray() as Float32Array);
  }

  override restore(state: TaskState): void {
    super.restore(state);
    const known = state.tensors.get('reference');
    if (known !== undefined) this.#parts.reference!.restore(known.toTypedArray() as Float32Array);
  }
}

/** [2P] of policy and reference as the columns an objective sees. */
export function pairedScores(
  policy: Tensor,
  reference: Tensor | null,
  counts: Int32Array,
): PairedScores {
  const place = { dtype: policy.dtype, device: policy.device };
  const columns = (values: Tensor): [Tensor, Tensor] => {
    const byPair = values.view(-1, 2); // [P, 2]
    return [byPair.select(1, 0), byPair.select(1, 1)];
  };
  const [policyChosen, policyRejected] = columns(policy);
  const [referenceChosen, referenceRejected] = columns(reference ?? policy.detach().mul(0));
  const [tokensChosen, tokensRejected] = columns(fromTypedArray(counts).to(place));
  return {
    policyChosen,
    policyRejected,
    referenceChosen,
    referenceRejected,
    tokensChosen,
    tokensRejected,
  };
}
