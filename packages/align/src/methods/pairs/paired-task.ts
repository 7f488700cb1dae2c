// Training on pairs (DPO and its family), whatever the objective.
import { later, phase, type Steps, type Tensor, type Unread } from '@keel/torch';
import type { PackedPairs } from '../../batching/pack-pairs.ts';
import {
  type ExtraScores,
  logRatioMargin,
  type PairedObjective,
  type PairedOptions,
  type PairedScores,
} from '../../objectives/paired.ts';
import type { ReferenceLogprobs, RowReference } from '../../reference/reference.ts';
import type { ForwardOptions, Pass, PassLosses } from '../../training/passes.ts';
import { RowTask, type RowTaskParts } from '../../training/row-task.ts';
import { type Observed, RunningMeans } from '../../training/running-means.ts';
import { joinStates, type Metrics, type TaskState } from '../../training/training-task.ts';
import { type PairSource, type PlacedPair, pairPacking } from './pair-source.ts';
import { type PairNumbers, PairTotals } from './pair-totals.ts';
import { type PassColumns, passColumns, StepScores } from './paired-inputs.ts';
import { type PairLogprobs, scorePairsSteps } from './score-pairs.ts';

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
  reference: RowReference<PackedPairs> | null;
}

type PairPass = Pass<PlacedPair, PackedPairs>;

/** What a pass finds beside its loss. */
interface FoundPairs {
  numbers: Unread<Omit<PairNumbers, 'loss'>>;
  observed: Unread<Observed> | null;
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

  async step(): Promise<Metrics> {
    const { reference, betaAt } = this.#parts;
    reference?.beginStep();
    const placed = await this.nextRows();
    const { beta } = this.#options;
    const totals = new PairTotals(beta, reference !== null);
    await this.#run(placed, totals, true);
    this.#running.endStep();
    reference?.endStep();
    this.#steps += 1;
    return this.endStep(totals, { ...(betaAt && { beta }), ...reference?.metrics() });
  }

  async evaluate(): Promise<Metrics | null> {
    const totals = new PairTotals(this.#options.beta, this.#parts.reference !== null);
    const found = await this.evaluateRows(totals, (placed) => this.#run(placed, totals, false));
    return found && totals.heldOutMetrics();
  }

  /** Options of the next step. */
  get #options(): PairedOptions {
    const { objectiveOptions, betaAt } = this.#parts;
    return betaAt ? { ...objectiveOptions, beta: betaAt(this.#steps) } : objectiveOptions;
  }

  /** With `training`, adds the gradient of the pairs' mean loss. */
  async #run(placed: readonly PlacedPair[], totals: PairTotals, training: boolean): Promise<void> {
    const { objective, reference } = this.#parts;
    const pairs = placed.map(({ pair }) => pair);
    using step = new StepScores(pairs, this.#running.values);
    if (objective.coupled) {
      // A pair's loss depends on all pairs of the step: all are scored before the first gradient.
      const options = { divisor: null, training };
      const score = (pass: PairPass) => (pass.passes === 1 ? null : this.#columns(pass));
      for await (const { pass, found } of this.passes(placed, pairPacking, options, async (pass) =>
        score(pass),
      )) {
        if (found === null) break;
        reference?.learn(pass, found.known);
        step.add(found.columns);
      }
    }
    const divisor = training ? placed.length : null;
    const work = async (pass: PairPass) => {
      const known = reference && (await reference.logprobs(pass));
      return { known, ...(await pass.run((options) => this.#losses(pass, known, step, options))) };
    };
    for await (const { pass, found } of this.passes(
      placed,
      pairPacking,
      { divisor, training },
      work,
    )) {
      const { known, observed, loss, numbers } = found;
      reference?.learn(pass, known);
      if (observed !== null) this.#running.add(observed);
      totals.add(pass.batch, { loss, ...numbers });
    }
  }

  /** What the objective needs of a pass, without gradient. */
  async #columns(pass: PairPass) {
    const { model, role, reference } = this.#parts;
    const known = reference && (await reference.logprobs(pass));
    const scoring = this.#score(pass, known, { training: pass.training, recomputation: null });
    const columns = model.asSteps(role, StepScores.detached(scoring));
    return { known, columns: await phase('forward', () => pass.compute(columns)) };
  }

  *#score(
    { batch, placed }: PairPass,
    reference: ReferenceLogprobs | null,
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
    reference: ReferenceLogprobs | null,
    step: StepScores,
    options: ForwardOptions,
  ): Steps<PassLosses & FoundPairs> {
    const { objective, dropBelowMargin = null } = this.#parts;
    const objectiveOptions = this.#options;
    const { policy, columns } = yield* this.#score(pass, reference, options);
    const own = step.ofPass(columns);
    let losses = objective.loss(step.ofStep(pass.index, columns), objectiveOptions); // [P], or [step's P]
    let dropped: Tensor | null = null;
    if (options.training && dropBelowMargin !== null) {
      const beta = own.rowBeta ?? objectiveOptions.beta;
      const lead = leadOfLikelier(own).detach();
      const below = lead.mul(beta).lt(dropBelowMargin); // [P]
      losses = losses.maskedFill(below, 0);
      dropped = below.sum();
    }
    const ownLoss = step.partOf(pass.index, losses).sum();
    const { policyChosen, policyRejected, referenceChosen, referenceRejected } = own;
    const { rowBeta, labelProbability } = own;
    const numbers = later(
      {
        ...{ policyChosen, policyRejected, referenceChosen, referenceRejected },
        ...{ entropySum: policy.entropySum, chosenHits: policy.chosenHits },
        ...{ rowBeta, labelProbability, droppedSum: dropped },
      },
      ({ rowBeta, labelProbability, entropySum, chosenHits, droppedSum, ...logprobs }) => ({
        ...logprobs,
        betas: rowBeta ?? null,
        probabilities: labelProbability ?? null,
        entropy: entropySum[0]!,
        hits: chosenHits[0]!,
        dropped: droppedSum?.[0] ?? null,
      }),
    );
    const observed = options.training ? this.#running.observe(own, objectiveOptions) : null;
    return { observed, sum: losses.sum(), own: ownLoss, numbers };
  }

  override state(): TaskState {
    const state = super.state();
    const running = this.#running.state();
    if (running !== undefined) state.values.running = running;
    if (this.#parts.betaAt) state.values.steps = this.#steps;
    return joinStates(state, this.#parts.reference?.state());
  }

  override check(state: TaskState): void {
    super.check(state);
    this.#running.check(state.values.running);
    const { reference, betaAt } = this.#parts;
    if (betaAt && !Number.isInteger(state.values.steps)) {
      throw new Error('the saved state is of a run without --beta-schedule');
    }
    if (reference === null && state.tensors.has('reference')) {
      throw new Error('the saved state is of a run with a reference, and this run has none');
    }
    reference?.check(state);
  }

  override restore(state: TaskState): void {
    super.restore(state);
    this.#running.restore(state.values.running);
    if (this.#parts.betaAt) this.#steps = state.values.steps as number;
    this.#parts.reference?.restore(state);
  }
}

/** d of the more probable answer over the other; 0 if both are equally probable, [P] */
function leadOfLikelier(scores: PairedScores & Partial<ExtraScores>): Tensor {
  const margin = logRatioMargin(scores);
  const { labelProbability } = scores;
  return labelProbability === undefined
    ? margin
    : margin.mul(labelProbability.sub(0.5).sign().to({ dtype: margin.dtype }));
}
