// A run's held-out-batches.json has each evaluation's numbers for every batch of held-out rows. Two
// evaluations of the same rows can then be compared with an interval.
import { existsSync, readFileSync } from 'node:fs';
import { type BatchValues, clusteredDifference, type Interval } from '@keel/statistics';
import { writeFileAtomic } from '../files/atomic-write.ts';

export class HeldOutBatches {
  readonly #path: string;
  /** By step, oldest first. */
  readonly #evaluations: Map<number, BatchValues>;

  private constructor(path: string, evaluations: Map<number, BatchValues>) {
    this.#path = path;
    this.#evaluations = evaluations;
  }

  /**
   * A damaged file counts as empty: only intervals of the report depend on it.
   * @param resumeFrom step that the run resumes from: later evaluations are dropped; null: all are
   */
  static open(path: string, resumeFrom: number | null): HeldOutBatches {
    const known = new Map<number, BatchValues>();
    if (resumeFrom !== null && existsSync(path)) {
      try {
        const found = JSON.parse(readFileSync(path, 'utf8')) as Record<string, BatchValues>;
        for (const [step, values] of Object.entries(found)) {
          if (Number(step) <= resumeFrom) known.set(Number(step), values);
        }
      } catch {}
    }
    return new HeldOutBatches(path, known);
  }

  /** Adds an evaluation. Removes the others, except the first and those of `kept`. */
  add(step: number, values: BatchValues, kept: readonly (number | undefined)[]): void {
    const [first] = this.#evaluations.keys();
    for (const one of this.#evaluations.keys()) {
      if (one !== first && !kept.includes(one)) this.#evaluations.delete(one);
    }
    this.#evaluations.set(step, values);
    writeFileAtomic(this.#path, `${JSON.stringify(Object.fromEntries(this.#evaluations))}\n`);
  }

  /**
   * 95% interval of a number's change from the first evaluation to that of a step.
   * @param metric without `eval_`
   * @returns null if it was not measured twice on the same rows
   */
  difference(metric: string, step: number): Interval | null {
    const [first] = this.#evaluations.keys();
    if (first === undefined || first === step) return null;
    const [before, after] = [first, step].map((one) => this.#evaluations.get(one));
    if (before === undefined || after === undefined) return null;
    return clusteredDifference(before, after, metric);
  }
}
