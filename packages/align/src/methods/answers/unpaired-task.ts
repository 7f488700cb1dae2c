// Training on single answers with a thumb up or down (KTO and BCO), whatever the objective.
import { fromTypedArray, later, phase, type Steps, type Tensor, type Unread } from '@keel/torch';
import { type KlEstimate, mismatched } from '../../batching/mismatched.ts';
import type { PackedAnswers } from '../../batching/pack-answers.ts';
import {
  expectedLoss,
  type UnpairedObjective,
  type UnpairedOptions,
  type UnpairedScores,
} from '../../objectives/unpaired.ts';
import type { Reference } from '../../reference/reference.ts';
import { scoreAnswersSteps } from '../../rewards/head-scores.ts';
import type { ForwardOptions, Packing, Pass, PassLosses } from '../../training/passes.ts';
import { RowTask, type RowTaskParts } from '../../training/row-task.ts';
import { type Observed, RunningMeans } from '../../training/running-means.ts';
import {
  joinStates,
  type Metrics,
  NonFiniteLossError,
  type TaskState,
} from '../../training/training-task.ts';
import {
  answerPacking,
  type PlacedAnswer,
  type PlacedUnpaired,
  tokensOf,
  type UnpairedSource,
} from './unpaired-source.ts';
import { type PassNumbers, UnpairedTotals } from './unpaired-totals.ts';

export interface UnpairedTaskParts extends RowTaskParts<UnpairedSource> {
  objective: UnpairedObjective;
  objectiveOptions: UnpairedOptions;
  klEstimate: KlEstimate;
  /** Receives what the user should know of a step. */
  notice?(text: string): void;
  reference: Reference<PackedAnswers>;
}

/** What the answers of a step are compared with, beside the reference. */
interface Compared {
  /** Estimate of KL(policy, reference); 0 for an objective without. */
  kl: number;
  running: UnpairedScores['running'];
}

/** What a pass finds beside its loss. */
interface FoundAnswers {
  numbers: Unread<Omit<PassNumbers, 'loss'>>;
  observed: Unread<Observed> | null;
}

export class UnpairedTask extends RowTask<UnpairedSource> {
  readonly #parts: UnpairedTaskParts;
  readonly #running: RunningMeans<UnpairedScores, UnpairedOptions>;
  #noKlNoticed = false;

  constructor(parts: UnpairedTaskParts) {
    super(parts, 'a run on single answers');
    this.#parts = parts;
    this.#running = new RunningMeans(parts.objective.running ?? {}, parts.objectiveOptions);
  }

  async step(): Promise<Metrics> {
    const placed = await this.nextRows();
    const totals = new UnpairedTotals(this.#parts.objectiveOptions.beta);
    await this.#run(placed, totals, placed.length);
    this.#running.endStep();
    this.#parts.reference.endStep();
    return this.endStep(totals);
  }

  evaluate(): Promise<Metrics | null> {
    const totals = new UnpairedTotals(this.#parts.objectiveOptions.beta);
    return this.evaluateRows(totals, (placed) => this.#run(placed, totals, null), this.#fewest);
  }

  /** Fewest held-out rows at a time: a single one has no other answer to estimate KL from. */
  get #fewest(): number {
    return this.#parts.objective.needsKl ? 2 : 1;
  }

  /** With a divisor, adds the gradient of the answers' losses. */
  async #run(
    placed: readonly PlacedUnpaired[],
    totals: UnpairedTotals,
    divisor: number | null,
  ): Promise<void> {
    const { reference, objective } = this.#parts;
    const { needsKl } = objective;
    const kl = needsKl ? await this.#estimateKl(placed, divisor !== null) : 0;
    if (needsKl) totals.addKl(kl, placed.length);
    const compared = { kl, running: this.#running.values };
    const packing: Packing<PlacedUnpaired, PackedAnswers> = answerPacking;
    const work = async (pass: Pass<PlacedUnpaired, PackedAnswers>) => {
      const known = await reference.logprobs(pass);
      const losses = (options: ForwardOptions) =>
        this.#losses(pass, known.whole, compared, options);
      return { known, ...(await pass.run(losses)) };
    };
    const how = { divisor };
    for await (const { pass, found } of this.passes(placed, packing, how, work)) {
      const { known, observed, loss, numbers } = found;
      reference.learn(pass, known);
      if (observed !== null) this.#running.add(observed);
      totals.add({ loss, ...numbers });
    }
  }

  /** @param known [M], under the reference */
  *#losses(
    { placed, batch }: Pass<PlacedUnpaired, PackedAnswers>,
    known: readonly number[],
    { kl, running }: Compared,
    { training, recomputation }: ForwardOptions,
  ): Steps<PassLosses & FoundAnswers> {
    const { model, objective, objectiveOptions } = this.#parts;
    const scoring = scoreAnswersSteps(model, batch, training, recomputation);
    const { sums: policy, entropySum } = yield* scoring; // [M]
    const like = { dtype: policy.dtype, device: policy.device };
    const column = (values: readonly number[]): Tensor =>
      fromTypedArray(Float64Array.from(values)).to(like);
    const labels = placed.map(({ answer }) => answer.label);
    const chances = placed.map(({ answer }) => answer.labelProbability ?? Number(answer.label));
    const [reference, desirable] = [column(known), column(chances)];
    const scores = { policy, reference, desirable, kl, running };
    const losses = expectedLoss(objective, scores, objectiveOptions, chances); // [M]
    const numbers = later({ policy, entropy: entropySum }, (read) => ({
      answers: labels.map((label, at) => ({
        ...{ desirable: label, policy: read.policy[at]!, reference: known[at]! },
      })),
      entropy: read.entropy[0]!,
      scored: batch.scored.rows.length,
      tokens: placed.reduce((sum, one) => sum + tokensOf(one), 0),
    }));
    const observed = training ? this.#running.observe(scores) : null;
    return { observed, sum: losses.sum(), numbers };
  }

  /**
   * Mean log-ratio of mismatched answers over the whole step, at least 0; 0 where all prompts are
   * the same.
   */
  async #estimateKl(placed: readonly PlacedUnpaired[], training: boolean): Promise<number> {
    const { model, role, reference } = this.#parts;
    const answers = this.#mismatched(placed);
    let sum = 0;
    const options = { divisor: null, training };
    // Mismatched answers of a training step recur only in other runs with the same steps.
    const how = { recurring: !training };
    const work = async (pass: Pass<PlacedAnswer, PackedAnswers>) => {
      const score = function* (): Steps<number[]> {
        const { sums } = yield* scoreAnswersSteps(model, pass.batch, false);
        return sums.toArray();
      };
      const policy = await phase('forward', () => pass.compute(model.asSteps(role, score())));
      return { policy, known: await reference.logprobs(pass, how) };
    };
    for await (const { pass, found } of this.passes(answers, answerPacking, options, work)) {
      reference.learn(pass, found.known, how);
      found.policy.forEach((value, at) => {
        sum += value - found.known.whole[at]!;
      });
    }
    if (!Number.isFinite(sum)) {
      const rows = placed.map(({ row }) => row);
      throw new NonFiniteLossError(`the estimate of KL is ${sum}`, rows, { heldOut: !training });
    }
    if (answers.length > 0) return Math.max(0, sum / answers.length);
    this.#noticeNoKl(training);
    return 0;
  }

  #noticeNoKl(training: boolean): void {
    if (this.#noKlNoticed || !training) return;
    this.#noKlNoticed = true;
    this.#parts.notice?.(
      'in some steps, all rows have the same prompt, so there is no answer to another prompt to estimate the KL from, and it counts as 0. Raise --batch-size, or do not pass --no-shuffle',
    );
  }

  /** Answers to other prompts than their own, each in the row of its prompt. */
  #mismatched(placed: readonly PlacedUnpaired[]): PlacedAnswer[] {
    const rows = new Map(placed.map(({ row, answer }) => [answer.prompt, row]));
    const answers = placed.map(({ answer }) => answer);
    return mismatched(answers, this.#parts.klEstimate).map((answer) => ({
      row: rows.get(answer.prompt as number[])!,
      answer,
    }));
  }

  /**
   * Computes the reference of every answer of the first `steps` steps and of the held-out rows,
   * mismatched ones too, in the passes that they will have. The source's state does not change.
   * @param onProgress called with steps, from the first one on that is not cached
   * @param signal ends it early, where no step will follow
   * @returns whether anything was computed
   */
  async askBefore(
    steps: number,
    onProgress: (done: number) => void,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { source, batchSize } = this.#parts;
    const before = source.state();
    let asked = false;
    source.restore({ epoch: 0, index: 0 });
    for (let step = 0; step < steps && !signal?.aborted; step++) {
      asked = (await this.#ask(await source.next(batchSize), false)) || asked;
      if (asked) onProgress(step + 1);
    }
    source.restore(before);
    for await (const placed of this.heldOutRows(this.#fewest)) {
      if (signal?.aborted) break;
      asked = (await this.#ask(placed, true)) || asked;
    }
    return asked;
  }

  /** @returns whether anything was computed */
  async #ask(placed: readonly PlacedUnpaired[], heldOut: boolean): Promise<boolean> {
    const { objective, reference } = this.#parts;
    const others = objective.needsKl ? this.#mismatched(placed) : [];
    let asked = false;
    const options = { divisor: null, training: false, heldOut };
    for (const all of [placed, others]) {
      const work = (pass: Pass<PlacedAnswer, PackedAnswers>) =>
        reference.logprobs(pass, { recurring: false });
      for await (const { pass, found } of this.passes(all, answerPacking, options, work)) {
        reference.learn(pass, found, { recurring: false });
        asked ||= found.computed;
      }
    }
    return asked;
  }

  override state(): TaskState {
    const state = super.state();
    const running = this.#running.state();
    if (running !== undefined) state.values.running = running;
    return joinStates(state, this.#parts.reference.state());
  }

  override check(state: TaskState): void {
    super.check(state);
    this.#running.check(state.values.running);
    this.#parts.reference.check(state);
  }

  override restore(state: TaskState): void {
    super.restore(state);
    this.#running.restore(state.values.running);
    this.#parts.reference.restore(state);
  }
}
