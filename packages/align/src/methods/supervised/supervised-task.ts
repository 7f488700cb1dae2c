// Supervised fine-tuning: one sequence a row, packed side by side, the loss a mean over scored
// tokens.
import { phase } from '@keel/torch';
import { RowTask, type RowTaskParts } from '../../training/row-task.ts';
import type { Metrics } from '../../training/training-task.ts';
import { type ExamplePassesParts, learnExamples, scoreExamples } from './example-passes.ts';
import type { ExampleSource } from './example-source.ts';
import { SupervisedTotals } from './supervised-totals.ts';

export interface SupervisedTaskParts extends RowTaskParts<ExampleSource>, ExamplePassesParts {}

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
    const totals = await learnExamples(this.#parts, placed, {
      count: ({ packed, scored }) => this.count(packed, scored.rows.length),
    });
    this.tokens += totals.tokens;
    return { ...totals.metrics(), epoch: source.epoch, num_tokens: this.tokens };
  }

  async evaluate(): Promise<Metrics | null> {
    const { evaluation } = this.#parts;
    if (evaluation === null) return null;
    const totals = new SupervisedTotals();
    for (const indices of this.evaluationRows()) {
      await scoreExamples(this.#parts, await evaluation.read(indices), totals);
    }
    if (totals.scored === 0) evaluation.refuseNothingLeft();
    return totals.metrics();
  }
}
