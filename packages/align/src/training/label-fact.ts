// How many labels of a run's rows are uncertain, as its plan shows it.
import { ProbabilityCounts, probabilitiesText } from '../checking/label-probabilities.ts';
import type { RefuseRow } from '../data/open-rows.ts';
import type { Row } from '../data/rows.ts';
import type { PlanFact } from './run-plan.ts';

/** Counts the label probabilities of a run's training rows while they are opened. */
export class RunLabels {
  #training: ProbabilityCounts | null = null;

  /**
   * What counts the rows of the files that are opened next: the training rows are the first.
   */
  counter(): (row: Row) => void {
    const counts = new ProbabilityCounts();
    this.#training ??= counts;
    return (row) => counts.add(row);
  }

  /** The same refusal, which counts the rows that it does not refuse. */
  counting<R extends Row>(refuse: RefuseRow<R>): RefuseRow<R> {
    const count = this.counter();
    return (row) => {
      const fault = refuse(row);
      if (fault === null) count(row);
      return fault;
    };
  }

  /** @param rows number of training rows */
  facts(rows: number): PlanFact[] {
    const found = this.#training?.facts() ?? null;
    if (found === null) return [];
    const { bins: _, ...data } = found;
    return [{ name: 'labels', text: probabilitiesText(found, rows), data }];
  }
}
