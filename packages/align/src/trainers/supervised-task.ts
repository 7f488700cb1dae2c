// Supervised fine-tuning: one sequence a row, packed side by side, the loss a mean over scored tokens.
import { fromTypedArray, phase, type Recomputation, type Steps, type Tensor } from '@keel/torch';
import { type MicroBatchLimit, splitMicroBatches } from '../batching/micro-batches.ts';
import { type PackedExamples, packExamples } from '../batching/pack-examples.ts';
import { scoredCount } from '../batching/tokenise-example.ts';
import { tokenNll } from '../objectives/token-nll.ts';
import type { ExampleSource, PlacedExample } from './example-source.ts';
import { RowTask, type RowTaskParts } from './row-task.ts';
import { runPass } from './run-pass.ts';
import { SupervisedTotals } from './supervised-totals.ts';
import { type Metrics, NonFiniteLossError } from './training-task.ts';

export interface SupervisedTaskParts extends RowTaskParts<ExampleSource> {
  limit: MicroBatchLimit;
  /** Whether a pass of so many tokens computes its activations again in backward; never, unless told. */
  recomputes?(tokens: number): boolean;
  /** Strength of NEFTune's noise on embeddings while training; null: none. */
  neftuneAlpha: number | null;
}

export class SupervisedTask extends RowTask<ExampleSource> {
  readonly #parts: SupervisedTaskParts;

  constructor(parts: SupervisedTaskParts) {
    super(parts, 'a supervised run');
    this.#parts = parts;
  }

  async step(): Promise<Metrics> {
    const { source, batchSize } = this.#parts;
    const placed = await phase('data', () => source.next(batchSize));
    this.rows = placed.map(({ row }) => row);
    const totals = new SupervisedTotals();
    await this.#passes(placed, totals, true);
    this.tokens += totals.tokens;
    return { ...totals.metrics(), epoch: source.epoch, num_tokens: this.tokens };
  }

  async evaluate(): Promise<Metrics | null> {
    const { evaluation } = this.#parts;
    if (evaluation === null) return null;
    const totals = new SupervisedTotals();
    for (const indices of this.evaluationRows()) {
      await this.#passes(await evaluation.read(indices), totals, false);
    }
    if (totals.scored === 0) evaluation.refuseNothingLeft();
    return totals.metrics();
  }

  /** Runs rows through the model pass by pass; with `training`, adds the gradient of their mean loss. */
  async #passes(
    placed: readonly PlacedExample[],
    totals: SupervisedTotals,
    training: boolean,
  ): Promise<void> {
    const { limit, recomputes } = this.#parts;
    // Of the whole step: a mean of the passes' means would weigh tokens of short passes more.
    const scoredOfStep = placed.reduce((sum, { example }) => sum + scoredCount(example), 0);
    const lengths = placed.map(({ example }) => example.tokens.length);
    for (const pass of splitMicroBatches(lengths, limit)) {
      const members = pass.map((index) => placed[index]!);
      const batch = phase('data', () => packExamples(members.map(({ example }) => example)));
      if (training) this.count(batch.packed, batch.scored.rows.length);
      const rows = members.map(({ row }) => row);
      await runPass(
        (recomputation) => this.#forward(batch, rows, totals, { training, recomputation }),
        {
          divisor: training ? scoredOfStep : null,
          recomputes: recomputes?.(batch.packed.tokens.length) ?? false,
        },
      );
    }
  }

  /** @returns the sum of the scored tokens' losses */
  *#forward(
    { packed, scored }: PackedExamples,
    rows: readonly number[],
    totals: SupervisedTotals,
    { training, recomputation }: { training: boolean; recomputation: Recomputation | null },
  ): Steps<Tensor> {
    const { model, role, neftuneAlpha } = this.#parts;
    const noise = training ? neftuneAlpha : null;
    const options = { training, recomputation, embeddingNoise: noise };
    const { logprobs, entropy, argmax } = yield* model.asSteps(
      role,
      model.scoreTokensSteps(packed, scored, options),
    ); // [N] each
    const total = tokenNll(logprobs).sum();
    const loss = total.item();
    if (!Number.isFinite(loss))
      throw new NonFiniteLossError(`the loss is ${loss}`, rows, { heldOut: !training });
    const targets = fromTypedArray(scored.targets).to({ dtype: 'int64', device: model.device });
    const sums = {
      loss,
      entropy: entropy.detach().sum().item(),
      hits: argmax.eq(targets).sum().item(),
    };
    totals.add(sums, scored.targets.length, packed.tokens.length);
    return total;
  }
}
