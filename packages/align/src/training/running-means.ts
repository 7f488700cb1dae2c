import { later, type Tensor, type Unread } from '@keel/torch';

/** A mean over steps, and the count of its numbers. */
interface RunningMean {
  count: number;
  mean: number;
}

/** Sums over the rows of a pass, by mean. */
export type Observed = Readonly<Record<string, { count: number; sum: number }>>;

/**
 * Running means that an objective needs, part of a checkpoint. With a momentum m, a mean becomes
 * m times its old value plus 1 - m times that of the step; without, it is the mean of all steps.
 */
export class RunningMeans<Scores, Options> {
  readonly #observers: readonly (readonly [string, (scores: Scores, options: Options) => Tensor])[];
  readonly #options: Options;
  readonly #momenta: Readonly<Record<string, number>>;
  readonly #means = new Map<string, RunningMean>();
  /** Sums of the current step. */
  readonly #seen = new Map<string, { count: number; sum: number }>();

  constructor(
    observers: Readonly<Record<string, (scores: Scores, options: Options) => Tensor>>,
    options: Options,
    momenta: Readonly<Record<string, number>> = {},
  ) {
    this.#momenta = momenta;
    this.#observers = Object.entries(observers);
    this.#options = options;
    for (const [name] of this.#observers) this.#means.set(name, { count: 0, mean: 0 });
  }

  /** Means over all finished steps; 0 before the first. */
  get values(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#means].map(([name, { mean }]) => [name, mean]));
  }

  /** Numbers of a pass of the current step, for {@link add}. */
  observe(scores: Scores, options: Options = this.#options): Unread<Observed> {
    const values = this.#observers.map(
      ([name, observer]) => [name, observer(scores, options).detach()] as const,
    );
    const counts = values.map(([name, own]) => [name, own.size] as const);
    const sums = values.map(([name, own]) => [name, own.sum()] as const);
    return later(Object.fromEntries(sums), (read) =>
      Object.fromEntries(counts.map(([name, count]) => [name, { count, sum: read[name]![0]! }])),
    );
  }

  /**
   * Adds a pass of the current step. `values` change only when the step ends, so that passes do not
   * matter.
   */
  add(observed: Observed): void {
    for (const [name, own] of Object.entries(observed)) {
      const { count, sum } = this.#seen.get(name) ?? { count: 0, sum: 0 };
      this.#seen.set(name, { count: count + own.count, sum: sum + own.sum });
    }
  }

  endStep(): void {
    for (const [name, { count, sum }] of this.#seen) {
      const before = this.#means.get(name)!;
      const all = before.count + count;
      const momentum = this.#momenta[name];
      if (momentum !== undefined) {
        const mean = momentum * before.mean + ((1 - momentum) * sum) / count;
        this.#means.set(name, { count: all, mean });
        continue;
      }
      this.#means.set(name, { count: all, mean: (before.count * before.mean + sum) / all });
    }
    this.#seen.clear();
  }

  /** For a checkpoint; undefined without running means. */
  state(): Record<string, RunningMean> | undefined {
    return this.#means.size === 0 ? undefined : Object.fromEntries(this.#means);
  }

  /** @throws Error where it is of other means */
  check(state: unknown): void {
    const saved = (state ?? {}) as Record<string, Partial<RunningMean>>;
    const names = [...this.#means.keys()];
    const fits =
      Object.keys(saved).sort().join() === names.toSorted().join() &&
      names.every(
        (name) => Number.isFinite(saved[name]?.mean) && Number.isInteger(saved[name]?.count),
      );
    if (fits) return;
    throw new Error(
      `the saved state has the running means ${Object.keys(saved).join(', ') || '(none)'}, and this objective needs ${names.join(', ') || 'none'}`,
    );
  }

  restore(state: unknown): void {
    this.check(state);
    this.#seen.clear();
    for (const [name, mean] of Object.entries((state ?? {}) as Record<string, RunningMean>)) {
      this.#means.set(name, { ...mean });
    }
  }
}
