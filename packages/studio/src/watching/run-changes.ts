// Tells listeners what changed in a list of runs. Files are looked at once for all of them, and
// only while somebody listens.
import type { RunSummary } from './describing/summary.ts';

/** What changed since the last time. */
export interface RunChange {
  /** New runs, and those that changed. */
  runs: RunSummary[];
  /** Ids of runs that are gone. */
  removed: string[];
  /** Whether `runs` has all runs: others are gone. */
  all: boolean;
}

type Listener = (change: RunChange) => void;

/** Looks at a list of runs at intervals. */
export class RunChanges {
  readonly #list: () => readonly RunSummary[];
  readonly #interval: number;
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | null = null;
  #known = new Map<string, string>();

  /** @param interval milliseconds between two looks (default: 1000) */
  constructor(list: () => readonly RunSummary[], interval = 1000) {
    this.#list = list;
    this.#interval = interval;
  }

  /**
   * Tells a listener all runs now, and then each change.
   * @returns a function that ends it
   */
  listen(listener: Listener): () => void {
    const runs = this.#list();
    if (this.#listeners.size === 0) this.#known = known(runs);
    this.#listeners.add(listener);
    listener({ runs: [...runs], removed: [], all: true });
    if (this.#timer === null) this.#lookAfter(this.#interval);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0 || this.#timer === null) return;
      clearTimeout(this.#timer);
      this.#timer = null;
    };
  }

  #lookAfter(delay: number): void {
    this.#timer = setTimeout(() => {
      const started = performance.now();
      this.#look();
      // Runs train on the same machine: looking takes at most a tenth of a core.
      this.#lookAfter(Math.max(this.#interval, 10 * (performance.now() - started)));
    }, delay).unref();
  }

  #look(): void {
    let runs: readonly RunSummary[];
    try {
      runs = this.#list();
    } catch {
      // A folder that is just being removed; the next look finds out.
      return;
    }
    const now = known(runs);
    const changed = runs.filter(({ id }) => now.get(id) !== this.#known.get(id));
    const removed = [...this.#known.keys()].filter((id) => !now.has(id));
    this.#known = now;
    if (changed.length === 0 && removed.length === 0) return;
    for (const listener of this.#listeners) listener({ runs: changed, removed, all: false });
  }
}

const known = (runs: readonly RunSummary[]): Map<string, string> =>
  new Map(runs.map((run) => [run.id, JSON.stringify(run)]));
