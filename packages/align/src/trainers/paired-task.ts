// Training on pairs (DPO and its family). Knows pairs and passes; which objective it is, it does not know.
import { setImmediate as letOthersIn } from 'node:timers/promises';
import {
  backwardFlops,
  forwardFlops,
  type LanguageModel,
  type ModelSizes,
  modelSizes,
  type Role,
  totalFlops,
} from '@keel/model';
import {
  fromTypedArray,
  inTurns,
  phase,
  type Recomputation,
  type Steps,
  type Tensor,
} from '@keel/torch';
import { type MicroBatchLimit, splitMicroBatches } from '../batching/micro-batches.ts';
import { type PackedPairs, packedTokens, packPairs } from '../batching/pack-pairs.ts';
import type { SamplerState } from '../data/shuffle.ts';
import type { PairedObjective, PairedOptions, PairedScores } from '../objectives/paired.ts';
import type { PairSource, PlacedPair } from './pair-source.ts';
import { PairTotals } from './pair-totals.ts';
import type { ReferenceScores } from './reference-scores.ts';
import { runPass } from './run-pass.ts';
import { scorePairsSteps } from './score-pairs.ts';
import {
  type Metrics,
  NonFiniteLossError,
  type TaskState,
  type TrainingTask,
} from './training-task.ts';

export interface PairedTaskParts {
  model: LanguageModel;
  /** Role that is trained: an adapter's name, or `reference` for the base itself (full fine-tuning). */
  role: Role;
  source: PairSource;
  evaluation: PairSource | null;
  objective: PairedObjective;
  objectiveOptions: PairedOptions;
  /** Pairs of one optimiser step. */
  batchSize: number;
  limit: MicroBatchLimit;
  /** Whether a pass of so many tokens computes its activations again in backward; never, unless told. */
  recomputes?(tokens: number): boolean;
  /** null for an objective without reference. */
  reference: ReferenceScores | null;
  evaluationReference: ReferenceScores | null;
}

interface SavedValues {
  sampler: SamplerState;
  tokens: number;
}

export class PairedTask implements TrainingTask {
  readonly #parts: PairedTaskParts;
  readonly #sizes: ModelSizes;
  #tokens = 0;
  #flops = 0;
  #rows: readonly number[] = [];

  constructor(parts: PairedTaskParts) {
    this.#parts = parts;
    this.#sizes = modelSizes(parts.model.decoder);
  }

  async step(): Promise<Metrics> {
    const { source, batchSize, reference } = this.#parts;
    const pairs = await phase('data', () => source.next(batchSize));
    this.#rows = pairs.map(({ row }) => row);
    const totals = await this.#passes(pairs, reference, true);
    this.#tokens += totals.tokens;
    return { ...totals.metrics(), epoch: source.epoch, num_tokens: this.#tokens };
  }

  async evaluate(): Promise<Metrics | null> {
    const { evaluation, evaluationReference, batchSize } = this.#parts;
    if (evaluation === null) return null;
    const totals = this.#totals(evaluationReference);
    for (let start = 0; start < evaluation.length; start += batchSize) {
      const indices = Array.from(
        { length: Math.min(batchSize, evaluation.length - start) },
        (_, i) => start + i,
      );
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
      if (training) this.#flops += this.#flopsOf(batch, rows);
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

  /** Of a training pass: reference where it is not known yet, policy, and policy backward. */
  #flopsOf({ packed, scored }: PackedPairs, rows: readonly number[]): number {
    const { reference, role } = this.#parts;
    const forward = forwardFlops(this.#sizes, packed, scored.rows.length);
    const backward = backwardFlops(forward, { trainedWeights: role === 'reference' });
    const referenceToo = reference !== null && rows.some((row) => !reference.has(row));
    return (referenceToo ? 2 : 1) * totalFlops(forward) + totalFlops(backward);
  }

  get tokens(): number {
    return this.#tokens;
  }

  get flops(): number {
    return this.#flops;
  }

  get rows(): readonly number[] {
    return this.#rows;
  }

  state(): TaskState {
    const tensors = new Map<string, Tensor>();
    const known = this.#parts.reference?.values;
    if (known !== undefined) tensors.set('reference', fromTypedArray(known));
    return { values: { sampler: this.#parts.source.state(), tokens: this.#tokens }, tensors };
  }

  check({ values, tensors }: TaskState): void {
    const { source, reference } = this.#parts;
    const { sampler, tokens } = values as Partial<SavedValues>;
    if (typeof sampler !== 'object' || sampler === null || !Number.isInteger(tokens)) {
      throw new Error('the saved state is not one of a run on pairs');
    }
    source.check(sampler);
    const known = tensors.get('reference');
    if ((known !== undefined) !== (reference !== null)) {
      throw new Error(
        `the saved state is of a run ${known ? 'with' : 'without'} a reference, and this one is ${known ? 'without' : 'with'} one`,
      );
    }
    if (known !== undefined) reference!.check(known.toTypedArray() as Float32Array);
  }

  restore(state: TaskState): void {
    this.check(state);
    const { sampler, tokens } = state.values as unknown as SavedValues;
    this.#parts.source.restore(sampler);
    this.#tokens = tokens;
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
