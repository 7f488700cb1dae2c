// Training on single answers with a thumb up or down (KTO and BCO). Knows answers and passes; which
// objective it is, it does not know.
import { setImmediate as letOthersIn } from 'node:timers/promises';
import type { LanguageModel, Role } from '@keel/model';
import {
  fromTypedArray,
  inTurns,
  noGradSteps,
  phase,
  type Recomputation,
  type Steps,
  type Tensor,
  tidySteps,
} from '@keel/torch';
import { splitMicroBatches } from '../../batching/micro-batches.ts';
import { type KlEstimate, mismatched } from '../../batching/mismatched.ts';
import { type PromptedAnswer, packAnswers } from '../../batching/pack-answers.ts';
import type {
  UnpairedObjective,
  UnpairedOptions,
  UnpairedScores,
} from '../../objectives/unpaired.ts';
import type { AnswerReference } from '../../reference/answer-reference.ts';
import { scoreAnswersSteps } from '../../rewards/head-scores.ts';
import type { PassPlan } from '../../training/pass-plan.ts';
import { RowTask, type RowTaskParts } from '../../training/row-task.ts';
import { runPass } from '../../training/run-pass.ts';
import { RunningMeans } from '../../training/running-means.ts';
import { type Metrics, NonFiniteLossError, type TaskState } from '../../training/training-task.ts';
import type { PlacedUnpaired, UnpairedSource } from './unpaired-source.ts';
import { UnpairedTotals } from './unpaired-totals.ts';

export interface UnpairedTaskParts extends RowTaskParts<UnpairedSource>, Pick<PassPlan, 'limit'> {
  /**
   * Whether a pass of so many tokens computes its activations again in backward; never, unless
   * told.
   */
  recomputes?(tokens: number): boolean;
  objective: UnpairedObjective;
  objectiveOptions: UnpairedOptions;
  klEstimate: KlEstimate;
  reference: AnswerReference;
}

const tokensOf = ({ prompt, answer }: PromptedAnswer): number =>
  prompt.length + answer.tokens.length;

export class UnpairedTask extends RowTask<UnpairedSource> {
  readonly #parts: UnpairedTaskParts;
  readonly #running: RunningMeans<UnpairedScores, UnpairedOptions>;

  constructor(parts: UnpairedTaskParts) {
    super(parts, 'a run on single answers');
    this.#parts = parts;
    this.#running = new RunningMeans(parts.objective.running ?? {}, parts.objectiveOptions);
  }

  async step(): Promise<Metrics> {
    const { source, batchSize, objectiveOptions } = this.#parts;
    const placed = await phase('data', () => source.next(batchSize));
    this.rows = placed.map(({ row }) => row);
    const totals = new UnpairedTotals(objectiveOptions.beta);
    await this.#passes(placed, totals, true);
    this.#running.endStep();
    this.tokens += totals.tokens;
    return { ...totals.metrics(), epoch: source.epoch, num_tokens: this.tokens };
  }

  async evaluate(): Promise<Metrics | null> {
    const { evaluation, objectiveOptions } = this.#parts;
    if (evaluation === null) return null;
    const totals = new UnpairedTotals(objectiveOptions.beta);
    for await (const placed of this.#heldOut()) await this.#passes(placed, totals, false);
    if (totals.answers === 0) evaluation.refuseNothingLeft();
    return totals.metrics();
  }

  /** Held-out rows, so many at a time as they are evaluated. */
  async *#heldOut(): AsyncGenerator<PlacedUnpaired[]> {
    const { evaluation, objective, batchSize } = this.#parts;
    // Of one row alone there is no KL to compare with.
    for (const indices of this.evaluationRows(batchSize, objective.needsKl ? 2 : 1)) {
      const placed = await evaluation!.read(indices);
      if (placed.length > 0) yield placed;
    }
  }

  /**
   * Asks the reference of every answer of so many steps and of the held-out rows, mismatched ones
   * too, in the passes that they will have. Leaves the source where it was.
   * @param onProgress is told of steps from the first one on of which something was not known
   * @param signal ends it early, where no step will follow
   * @returns whether anything was not known
   */
  async askBefore(
    steps: number,
    onProgress: (done: number) => void,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { source, batchSize, evaluation } = this.#parts;
    const before = source.state();
    let asked = false;
    source.restore({ epoch: 0, index: 0 });
    for (let step = 0; step < steps && !signal?.aborted; step++) {
      asked = (await this.#ask(await source.next(batchSize), false)) || asked;
      if (asked) onProgress(step + 1);
    }
    source.restore(before);
    if (evaluation === null) return asked;
    for await (const placed of this.#heldOut()) {
      if (signal?.aborted) break;
      asked = (await this.#ask(placed, true)) || asked;
    }
    return asked;
  }

  /** @returns whether anything was not known */
  async #ask(placed: readonly PlacedUnpaired[], heldOut: boolean): Promise<boolean> {
    const { objective, klEstimate, reference } = this.#parts;
    const answers = placed.map(({ answer }) => answer);
    const others = objective.needsKl ? mismatched(answers, klEstimate) : [];
    let asked = false;
    for (const all of [answers, others]) {
      for (const pass of this.#split(all)) {
        const own = pass.map((at) => all[at]!);
        if (reference.known(own) !== undefined) continue;
        asked = true;
        const found = await this.#ofReference(own, { training: false, recurring: false });
        if (found.every(Number.isFinite)) continue;
        const rows = placed.map(({ row }) => row);
        throw new NonFiniteLossError("the reference's log-probability is not finite", rows, {
          heldOut,
        });
      }
    }
    return asked;
  }

  /**
   * Runs answers through the model pass by pass; with `training`, adds the gradient of their mean
   * loss.
   */
  async #passes(
    placed: readonly PlacedUnpaired[],
    totals: UnpairedTotals,
    training: boolean,
  ): Promise<void> {
    const { model, role, objective, objectiveOptions, recomputes } = this.#parts;
    const kl = objective.needsKl ? await this.#estimateKl(placed, training) : 0;
    if (objective.needsKl) totals.addKl(kl, placed.length);
    const running = this.#running.values;
    for (const pass of this.#split(placed.map(({ answer }) => answer))) {
      const answers = pass.map((at) => placed[at]!.answer);
      const rows = pass.map((at) => placed[at]!.row);
      const batch = phase('data', () => packAnswers(answers));
      if (training) this.count(batch.packed, batch.scored.rows.length);
      const known = await this.#ofReference(answers, { training, recurring: true });
      const broken = rows.filter((_, at) => !Number.isFinite(known[at]!));
      if (broken.length > 0) {
        const what = "the reference's log-probability is not finite";
        throw new NonFiniteLossError(what, broken, { heldOut: !training });
      }
      const labels = answers.map(({ label }) => (label ? 1 : 0));
      const observe = this.#running;
      const forward = function* (recomputation: Recomputation | null): Steps<Tensor> {
        const score = scoreAnswersSteps(model, batch, training, recomputation);
        const { sums: policy, entropySum } = yield* model.asSteps(role, score); // [M]
        const column = (values: readonly number[]): Tensor =>
          fromTypedArray(Float64Array.from(values)).to({
            dtype: policy.dtype,
            device: policy.device,
          });
        const scores = { policy, reference: column(known), desirable: column(labels), kl, running };
        const total = objective.loss(scores, objectiveOptions).sum();
        const loss = total.item();
        if (!Number.isFinite(loss))
          throw new NonFiniteLossError(`the loss is ${loss}`, rows, { heldOut: !training });
        if (training) observe.observe(scores);
        const found = policy.detach().toArray();
        totals.add(
          answers.map(({ label }, at) => ({
            desirable: label,
            policy: found[at]!,
            reference: known[at]!,
          })),
          {
            ...{ loss, entropy: entropySum.item(), scored: batch.scored.rows.length },
            tokens: answers.reduce((sum, one) => sum + tokensOf(one), 0),
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

  /**
   * Mean log-ratio of mismatched answers over the whole step, at least 0; 0 where no prompt differs
   * from the others.
   */
  async #estimateKl(placed: readonly PlacedUnpaired[], training: boolean): Promise<number> {
    const { model, role, klEstimate } = this.#parts;
    const answers = mismatched(
      placed.map(({ answer }) => answer),
      klEstimate,
    );
    let sum = 0;
    for (const pass of this.#split(answers)) {
      const own = pass.map((at) => answers[at]!);
      const policy = await this.#sums({ model, role }, own, 'forward', training);
      // Those of a training step are not met again, but for runs with the same steps.
      const known = await this.#ofReference(own, { training, recurring: !training });
      policy.forEach((value, at) => {
        sum += value - known[at]!;
      });
    }
    if (!Number.isFinite(sum)) {
      const rows = placed.map(({ row }) => row);
      throw new NonFiniteLossError(`the estimate of KL is ${sum}`, rows, { heldOut: !training });
    }
    return answers.length === 0 ? 0 : Math.max(0, sum / answers.length);
  }

  #split(answers: readonly PromptedAnswer[]): number[][] {
    return splitMicroBatches(answers.map(tokensOf), this.#parts.limit);
  }

  /**
   * The reference's log p of each answer of a pass: all of them known, or else all computed in this
   * pass.
   */
  async #ofReference(
    answers: readonly PromptedAnswer[],
    { training, recurring }: { training: boolean; recurring: boolean },
  ): Promise<number[]> {
    const { reference } = this.#parts;
    // In the first step the policy is the reference, and its own passes give both the same bits on
    // every machine.
    const first = training && this.tokens === 0;
    const found = first ? undefined : reference.known(answers);
    if (found === undefined && this.tokens > 0 && reference.untilTrained)
      throw new Error('an answer came up of which the reference was not asked before training');
    const values = found ?? (await this.#sums(reference, answers, 'reference', training));
    reference.add(answers, values, recurring);
    return values;
  }

  /** log p of each answer, without gradient and without dropout. */
  async #sums(
    { model, role }: { model: LanguageModel; role: Role },
    answers: readonly PromptedAnswer[],
    what: 'forward' | 'reference',
    training: boolean,
  ): Promise<number[]> {
    const batch = packAnswers(answers);
    if (training) this.countForward(batch.packed, batch.scored.rows.length);
    const score = scoreAnswersSteps(model, batch, false);
    const read = function* (): Steps<number[]> {
      const { sums } = yield* model.asSteps(role, score);
      return sums.toArray();
    };
    const found = await phase(what, () => inTurns(noGradSteps(tidySteps(read()))));
    await letOthersIn();
    return found;
  }

  override state(): TaskState {
    const state = super.state();
    const running = this.#running.state();
    if (running !== undefined) state.values.running = running;
    for (const [name, tensor] of this.#parts.reference.state()) state.tensors.set(name, tensor);
    return state;
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
