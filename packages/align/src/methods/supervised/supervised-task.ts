// Supervised fine-tuning: one sequence a row, packed side by side. The loss is the mean over the
// scored tokens of a step.
import { RowTask, type RowTaskParts } from '../../training/row-task.ts';
import type { Metrics } from '../../training/training-task.ts';
import {
  addExamples,
  type ExamplePass,
  type ExamplePassesParts,
  examplePacking,
  runExamples,
  scoredTokensOf,
} from './example-passes.ts';
import type { ExampleSource, PlacedExample } from './example-source.ts';
import { SupervisedTotals } from './supervised-totals.ts';

export interface SupervisedTaskParts extends RowTaskParts<ExampleSource>, ExamplePassesParts {}

export class SupervisedTask extends RowTask<ExampleSource> {
  readonly #parts: SupervisedTaskParts;

  constructor(parts: SupervisedTaskParts) {
    super(parts, 'a supervised run');
    this.#parts = parts;
  }

  async step(): Promise<Metrics> {
    const placed = await this.nextRows();
    const totals = new SupervisedTotals();
    await this.#run(placed, totals, scoredTokensOf(placed));
    return this.endStep(totals);
  }

  evaluate(): Promise<Metrics | null> {
    const totals = new SupervisedTotals();
    return this.evaluateRows(totals, (placed) => this.#run(placed, totals, null));
  }

  async #run(
    placed: readonly PlacedExample[],
    totals: SupervisedTotals,
    divisor: number | null,
  ): Promise<void> {
    const work = (pass: ExamplePass) => runExamples(this.#parts, pass);
    for await (const done of this.passes(placed, examplePacking, { divisor }, work)) {
      addExamples(totals, done);
    }
  }
}
