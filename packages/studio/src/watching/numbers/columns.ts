import type { MetricsRow } from '@keel/align/runs';

/** Values of a metric by step, in ascending order of steps. */
export interface Column {
  steps: number[];
  values: number[];
}

/** The numbers of a run by metric. */
export class Columns {
  readonly #columns = new Map<string, Column>();

  /** The numbers of a row of metrics.jsonl. */
  add(row: MetricsRow): void {
    const { step } = row;
    for (const name in row) if (name !== 'step') this.set(name, step, row[name]!);
  }

  /** A later value of the same step replaces an earlier one. */
  set(name: string, step: number, value: number): void {
    let column = this.#columns.get(name);
    if (column === undefined) {
      column = { steps: [], values: [] };
      this.#columns.set(name, column);
    }
    const { steps, values } = column;
    if (steps.length === 0 || step > steps[steps.length - 1]!) {
      steps.push(step);
      values.push(value);
      return;
    }
    const at = steps.findLastIndex((one) => one <= step);
    if (steps[at] === step) values[at] = value;
    else {
      steps.splice(at + 1, 0, step);
      values.splice(at + 1, 0, value);
    }
  }

  /** The same values, which change by themselves. */
  copy(): Columns {
    const copy = new Columns();
    for (const [name, { steps, values }] of this.#columns) {
      copy.#columns.set(name, { steps: [...steps], values: [...values] });
    }
    return copy;
  }

  /**
   * Removes values of a step and later ones: the run was resumed before it.
   * @param name of a metric (default: all)
   */
  removeFrom(step: number, name?: string): void {
    const columns = name === undefined ? this.#columns.values() : [this.#columns.get(name)];
    for (const { steps, values } of [...columns].filter((one) => one !== undefined)) {
      const at = steps.findIndex((one) => one >= step);
      if (at < 0) continue;
      steps.splice(at);
      values.splice(at);
    }
  }

  clear(): void {
    this.#columns.clear();
  }

  /** Metrics that have values, in the order in which they were first recorded. */
  get names(): string[] {
    return [...this.#columns].filter(([, { steps }]) => steps.length > 0).map(([name]) => name);
  }

  get(name: string): Column | undefined {
    return this.#columns.get(name);
  }

  /** The last step of any metric; null without values. */
  get lastStep(): number | null {
    const last = [...this.#columns.values()].flatMap(({ steps }) => steps.at(-1) ?? []);
    return last.length === 0 ? null : Math.max(...last);
  }

  /** One row for each step, as in metrics.jsonl. */
  rows(): MetricsRow[] {
    const rows = new Map<number, MetricsRow>();
    for (const [name, { steps, values }] of this.#columns) {
      steps.forEach((step, at) => {
        const row: MetricsRow = rows.get(step) ?? { step };
        row[name] = values[at]!;
        rows.set(step, row);
      });
    }
    return [...rows.values()].sort((a, b) => a.step - b.step);
  }
}
