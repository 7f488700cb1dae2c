// Training on pairs (DPO and its family). Knows pairs and passes; which objective it is, it does
// not know.
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
import { type PackedPairs, packedTokens, packPairs } from '../../batching/pack-pairs.ts';
import {
  logRatioMargin,
  type PairedObjective,
  type PairedOptions,
  type PairedScores,
} from '../../objectives/paired.ts';
import { type MovingReference, withReference } from '../../reference/moving-reference.ts';
import type { ReferenceScores } from '../../reference/reference-scores.ts';
import { type PairLogprobs, scorePairsSteps } from '../../reference/score-pairs.ts';
import { RowTask, type RowTaskParts } from '../../training/row-task.ts';
import { runPass } from '../../training/run-pass.ts';
import { RunningMeans } from '../../training/running-means.ts';
import { type Metrics, NonFiniteLossError, type TaskState } from '../../training/training-task.ts';
import type { PairSource, PlacedPair } from './pair-source.ts';
import { PairTotals } from './pair-totals.ts';
import {
  meanTokensChosen,
  objectiveScores,
  type PassColumns,
  passColumns,
  StepColumns,
} from './paired-inputs.ts';

export interface PairedTaskParts extends RowTaskParts<PairSource> {
  objective: PairedObjective;
  objectiveOptions: PairedOptions;
  /** Beta of each optimiser step, counted from 0; none: that of the options. */
  betaAt?: ((step: number) => number) | null;
  /**
   * In training, pairs whose implicit reward margin is below this have no gradient; none: all have.
   */
  dropBelowMargin?: number | null;
  limit: MicroBatchLimit;
  /**
   * Whether a pass of so many tokens computes its activations again in backward; never, unless
   * told.
   */
  recomputes?(tokens: number): boolean;
  /** null for an objective without reference. */
  reference: ReferenceScores | null;
  evaluationReference: ReferenceScores | null;
  /** What both are the scores of, where it follows the policy. */
  movingReference?: MovingReference | null;
}

export class PairedTask extends RowTask<PairSource> {
  readonly #parts: PairedTaskParts;
  readonly #running: RunningMeans<PairedScores, PairedOptions>;
  #steps = 0;

  constructor(parts: PairedTaskParts) {
    super(parts, 'a run on pairs');
    this.#parts = parts;
    const { running = {}, momenta } = parts.objective;
    this.#running = new RunningMeans(running, parts.objectiveOptions, momenta);
  }

  get #moving(): MovingReference | null {
    return this.#parts.movingReference ?? null;
  }

  async step(): Promise<Metrics> {
    const { source, batchSize, reference, evaluationReference } = this.#parts;
    const moving = this.#moving;
    if (moving?.moveIfDue()) {
      reference?.forgetAll();
      evaluationReference?.forgetAll();
    }
    const pairs = await phase('data', () => source.next(batchSize));
    this.rows = pairs.map(({ row }) => row);
    const totals = await this.#passes(pairs, reference, true);
    this.#running.endStep();
    moving?.countStep();
    this.tokens += totals.tokens;
    const { beta } = this.#options;
    this.#steps += 1;
    const metrics: Metrics = { ...totals.metrics(), ...(this.#parts.betaAt && { beta }) };
    if (moving) metrics['reference/moves'] = moving.moves;
    return { ...metrics, epoch: source.epoch, num_tokens: this.tokens };
  }

  /** Those of the step to come. */
  get #options(): PairedOptions {
    const { objectiveOptions, betaAt } = this.#parts;
    return betaAt ? { ...objectiveOptions, beta: betaAt(this.#steps) } : objectiveOptions;
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
    return new PairTotals(this.#options.beta, reference !== null);
  }

  /**
   * Runs pairs through the model pass by pass; with `training`, adds the gradient of their mean
   * loss.
   */
  async #passes(
    pairs: readonly PlacedPair[],
    reference: ReferenceScores | null,
    training: boolean,
    totals = this.#totals(reference),
  ): Promise<PairTotals> {
    const { objective, limit, dropBelowMargin = null } = this.#parts;
    const objectiveOptions = this.#options;
    const floor = training ? dropBelowMargin : null;
    const lengths = pairs.map(({ pair }) => packedTokens(pair));
    const passes = splitMicroBatches(lengths, limit).map((pass) => pass.map((at) => pairs[at]!));
    const ofStep = {
      meanTokensChosen: meanTokensChosen(pairs.map(({ pair }) => pair)),
      running: this.#running.values,
    };
    // Where a pair's loss depends on others, all of the step are scored before the first gradient.
    using step = objective.coupled && passes.length > 1 ? new StepColumns() : null;
    if (step !== null) {
      for (const pass of passes) {
        await this.#pass(pass, reference, { training, divisor: null }, (columns, { sums }) => {
          step.add(columns);
          return sums.sum();
        });
      }
    }
    for (const [place, pass] of passes.entries()) {
      const divisor = training ? pairs.length : null;
      await this.#pass(pass, reference, { training, divisor }, (columns, policy, batch) => {
        const own = objectiveScores(columns, ofStep);
        const all = step === null ? own : objectiveScores(step.with(place, columns), ofStep);
        let losses = objective.loss(all, objectiveOptions); // [P]; of the whole step where it depends on it
        if (floor !== null) {
          const beta = own.rowBeta ?? objectiveOptions.beta;
          const dropped = logRatioMargin(own).detach().mul(beta).lt(floor); // [P]
          losses = losses.maskedFill(dropped, 0);
          totals.addDropped(dropped.sum().item());
        }
        const value = (step?.ownPart(place, losses) ?? losses).sum().item();
        if (!Number.isFinite(value)) {
          const rows = pass.map(({ row }) => row);
          throw new NonFiniteLossError(`the loss is ${value}`, rows, { heldOut: !training });
        }
        totals.add(batch, own, value, policy);
        if (training) this.#running.observe(own, objectiveOptions);
        return losses.sum();
      });
    }
    return totals;
  }

  /** @param lossOf gives what the gradient is of; a `divisor` of null asks for none */
  async #pass(
    pass: readonly PlacedPair[],
    reference: ReferenceScores | null,
    { training, divisor }: { training: boolean; divisor: number | null },
    lossOf: (columns: PassColumns, policy: PairLogprobs, batch: PackedPairs) => Tensor,
  ): Promise<void> {
    const { model, role, objective } = this.#parts;
    const { beta } = this.#options;
    const { needs = [] } = objective;
    const wanted = { shared: needs.includes('shared'), alignment: needs.includes('alignment') };
    const pairs = pass.map(({ pair }) => pair);
    const rows = pass.map(({ row }) => row);
    const batch = phase('data', () => packPairs(pairs));
    if (divisor !== null) {
      const unknown = reference !== null && rows.some((row) => !reference.has(row));
      this.count(batch.packed, batch.scored.rows.length, unknown ? 1 : 0);
    }
    using referenceSums =
      reference && (await phase('reference', () => inTurns(reference.steps(batch, rows)))); // [P, 2] or [P, 4]
    await letOthersIn();
    const forward = function* (recomputation: Recomputation | null): Steps<Tensor> {
      const score = scorePairsSteps(model, batch, training, { ...wanted, recomputation });
      const policy = yield* model.asSteps(role, score);
      return lossOf(passColumns(policy, referenceSums, batch, pairs, beta), policy, batch);
    };
    await runPass(forward, {
      divisor,
      recomputes: this.#parts.recomputes?.(batch.packed.tokens.length) ?? false,
    });
  }

  override state(): TaskState {
    const state = super.state();
    const known = this.#parts.reference?.values;
    if (known !== undefined) state.tensors.set('reference', fromTypedArray(known));
    const running = this.#running.state();
    if (running !== undefined) state.values.running = running;
    if (this.#parts.betaAt) state.values.steps = this.#steps;
    return withReference(state, this.#moving);
  }

  override check(state: TaskState): void {
    super.check(state);
    this.#running.check(state.values.running);
    const { reference, betaAt } = this.#parts;
    if (betaAt && !Number.isInteger(state.values.steps)) {
      throw new Error('the saved state is of a run without --beta-schedule');
    }
    const known = state.tensors.get('reference');
    if ((known !== undefined) !== (reference !== null)) {
      throw new Error(
        `the saved state is of a run ${known ? 'with' : 'without'} a reference, and this one is ${known ? 'without' : 'with'} one`,
      );
    }
    if (known !== undefined) reference!.check(known.toTypedArray() as Float32Array);
    this.#moving?.check(state.values.reference, state.tensors);
  }

  override restore(state: TaskState): void {
    super.restore(state);
    this.#running.restore(state.values.running);
    if (this.#parts.betaAt) this.#steps = state.values.steps as number;
    const known = state.tensors.get('reference');
    if (known !== undefined) this.#parts.reference!.restore(known.toTypedArray() as Float32Array);
    this.#moving?.restore(state.values.reference, state.tensors);
  }
}
