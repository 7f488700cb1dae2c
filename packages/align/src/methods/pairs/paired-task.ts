// Training on pairs (DPO and its family), whatever the objective.
import { fromTypedArray, type Steps, type Tensor } from '@keel/torch';
import type { PackedPairs } from '../../batching/pack-pairs.ts';
import {
  logRatioMargin,
  type PairedObjective,
  type PairedOptions,
  type PairedScores,
  type SharedPart,
} from '../../objectives/paired.ts';
import { type MovingReference, withReference } from '../../reference/moving-reference.ts';
import type { ReferenceScores } from '../../reference/reference-scores.ts';
import { type PairLogprobs, scorePairsSteps } from '../../reference/score-pairs.ts';
import type { ForwardOptions, Pass, PassLosses } from '../../training/passes.ts';
import { RowTask, type RowTaskParts } from '../../training/row-task.ts';
import { RunningMeans } from '../../training/running-means.ts';
import type { Metrics, TaskState } from '../../training/training-task.ts';
import { type PairSource, type PlacedPair, pairPacking } from './pair-source.ts';
import { type PairNumbers, PairTotals } from './pair-totals.ts';
import { type PassColumns, passColumns, StepScores } from './paired-inputs.ts';

export interface PairedTaskParts extends RowTaskParts<PairSource> {
  objective: PairedObjective;
  objectiveOptions: PairedOptions;
  /** Beta of each optimizer step, counted from 0 (default: that of the options). */
  betaAt?: ((step: number) => number) | null;
  /**
   * In training, pairs whose implicit reward margin is below this have no gradient (default: all
   * have one).
   */
  dropBelowMargin?: number | null;
  /** null for an objective without reference. */
  reference: ReferenceScores | null;
  evaluationReference: ReferenceScores | null;
  /** What both are the scores of, where it follows the policy. */
  movingReference?: MovingReference | null;
}

type PairPass = Pass<PlacedPair, PackedPairs>;

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
    const { reference, evaluationReference, betaAt } = this.#parts;
    const moving = this.#moving;
    if (moving?.moveIfDue()) {
      reference?.forgetAll();
      evaluationReference?.forgetAll();
    }
    const placed = await this.nextRows();
    const { beta } = this.#options;
    const totals = new PairTotals(beta, reference !== null);
    await this.#run(placed, reference, totals, true);
    this.#running.endStep();
    moving?.countStep();
    this.#steps += 1;
    return this.endStep(totals, {
      ...(betaAt && { beta }),
      ...(moving && { 'reference/moves': moving.moves }),
    });
  }

  evaluate(): Promise<Metrics | null> {
    const { evaluationReference: reference } = this.#parts;
    const totals = new PairTotals(this.#options.beta, reference !== null);
    return this.evaluateRows(totals, (placed) => this.#run(placed, reference, totals, false));
  }

  /** Options of the next step. */
  get #options(): PairedOptions {
    const { objectiveOptions, betaAt } = this.#parts;
    return betaAt ? { ...objectiveOptions, beta: betaAt(this.#steps) } : objectiveOptions;
  }

  /** With `training`, adds the gradient of the pairs' mean loss. */
  async #run(
    placed: readonly PlacedPair[],
    reference: ReferenceScores | null,
    totals: PairTotals,
    training: boolean,
  ): Promise<void> {
    const { model, role, objective } = this.#parts;
    const pairs = placed.map(({ pair }) => pair);
    using step = new StepScores(pairs, this.#running.values);
    if (objective.coupled) {
      // A pair's loss depends on all pairs of the step: all are scored before the first gradient.
      for await (const pass of this.passes(placed, pairPacking, { divisor: null, training })) {
        if (pass.passes === 1) break;
        using known = await ofReference(pass, reference);
        const scoring = this.#score(pass, known, { training, recomputation: null });
        step.add(await pass.compute(model.asSteps(role, StepScores.detached(scoring))));
      }
    }
    const divisor = training ? placed.length : null;
    for await (const pass of this.passes(placed, pairPacking, { divisor, training })) {
      const { packed, scored } = pass.batch;
      const unknown = reference !== null && pass.rows.some((row) => !reference.has(row));
      if (training && unknown) this.countForward(packed, scored.rows.length);
      using known = await ofReference(pass, reference);
      totals.add(pass.batch, await pass.run((options) => this.#losses(pass, known, step, options)));
    }
  }

  /** @param reference [P, 2], or [P, 4] with the first tokens' part; null without a reference */
  *#score(
    { batch, placed }: PairPass,
    reference: Tensor | null,
    { training, recomputation }: ForwardOptions,
  ): Steps<{ policy: PairLogprobs; columns: PassColumns }> {
    const { model, objective } = this.#parts;
    const { needs = [] } = objective;
    const policy = yield* scorePairsSteps(model, batch, training, {
      ...{ shared: needs.includes('shared'), alignment: needs.includes('alignment') },
      recomputation,
    });
    const pairs = placed.map(({ pair }) => pair);
    return { policy, columns: passColumns(policy, reference, batch, pairs, this.#options.beta) };
  }

  *#losses(
    pass: PairPass,
    reference: Tensor | null,
    step: StepScores,
    options: ForwardOptions,
  ): Steps<PassLosses & Omit<PairNumbers, 'loss'>> {
    const { objective, dropBelowMargin = null } = this.#parts;
    const objectiveOptions = this.#options;
    const { policy, columns } = yield* this.#score(pass, reference, options);
    const own = step.ofPass(columns);
    let losses = objective.loss(step.ofStep(pass.index, columns), objectiveOptions); // [P], or [step's P]
    let dropped: number | null = null;
    if (options.training && dropBelowMargin !== null) {
      const beta = own.rowBeta ?? objectiveOptions.beta;
      const below = logRatioMargin(own).detach().mul(beta).lt(dropBelowMargin); // [P]
      losses = losses.maskedFill(below, 0);
      dropped = below.sum().item();
    }
    if (options.training) this.#running.observe(own, objectiveOptions);
    const column = (name: keyof SharedPart): number[] => own[name].detach().toArray();
    return {
      sum: losses.sum(),
      own: step.partOf(pass.index, losses).sum(),
      policyChosen: column('policyChosen'),
      policyRejected: column('policyRejected'),
      referenceChosen: column('referenceChosen'),
      referenceRejected: column('referenceRejected'),
      betas: own.rowBeta?.toArray() ?? null,
      entropy: policy.entropySum.item(),
      hits: policy.chosenHits.item(),
      dropped,
    };
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

/** [P, 2], or [P, 4] with the first tokens' part; null without a reference. */
const ofReference = async (
  pass: PairPass,
  reference: ReferenceScores | null,
): Promise<Tensor | null> =>
  reference && pass.compute(reference.steps(pass.batch, pass.rows), 'reference');
