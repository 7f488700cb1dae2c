// Counters, gauges and histograms in Prometheus' text format, version 0.0.4.
// https://prometheus.io/docs/instrumenting/exposition_formats/

type Labels = Readonly<Record<string, string>>;

const shown = (labels: Labels): string => {
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escaped)}"`,
  );
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
};

const escaped = (letter: string): string => (letter === '\n' ? '\\n' : `\\${letter}`);

const header = (name: string, help: string, type: string): string =>
  `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;

/** A number that only grows, for each combination of labels. */
export class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new Map<string, number>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(amount = 1, labels: Labels = {}): void {
    const key = shown(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }

  toString(): string {
    const values = this.#values.size === 0 ? [['', 0] as const] : [...this.#values];
    const lines = values.map(([labels, value]) => `${this.#name}${labels} ${value}\n`);
    return header(this.#name, this.#help, 'counter') + lines.join('');
  }
}

/** A number as it is now. */
export const gauge = (name: string, help: string, value: number): string =>
  `${header(name, help, 'gauge')}${name} ${value}\n`;

/** How often values were at most each of some bounds. */
export class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  /** @param bounds rising */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#sum += value;
    this.#count += 1;
    for (const [index, bound] of this.#bounds.entries()) {
      if (value <= bound) this.#counts[index]! += 1;
    }
  }

  toString(): string {
    const buckets = this.#bounds.map(
      (bound, index) => `${this.#name}_bucket{le="${bound}"} ${this.#counts[index]}\n`,
    );
    return [
      header(this.#name, this.#help, 'histogram'),
      ...buckets,
      `${this.#name}_bucket{le="+Inf"} ${this.#count}\n`,
      `${this.#name}_sum ${this.#sum}\n${this.#name}_count ${this.#count}\n`,
    ].join('');
  }
}
