// Attempts to sign in, counted by name: guessing is slow.

/** Attempts of a name before it has to wait. */
const MOST = 8;
/** Milliseconds after which they are forgotten. */
const WINDOW = 10 * 60_000;
/** Names that are remembered: the oldest are forgotten first. */
const NAMES = 10_000;

export class Attempts {
  readonly #made = new Map<string, { count: number; since: number }>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Seconds to wait before the next attempt of this name; 0: none. */
  wait(name: string): number {
    const known = this.#made.get(name);
    if (known === undefined || known.count < MOST) return 0;
    return Math.max(0, Math.ceil((known.since + WINDOW - this.#now()) / 1000));
  }

  made(name: string): void {
    const known = this.#made.get(name);
    const isOld = known === undefined || known.since + WINDOW <= this.#now();
    this.#made.delete(name);
    this.#made.set(
      name,
      isOld ? { count: 1, since: this.#now() } : { ...known, count: known.count + 1 },
    );
    if (this.#made.size > NAMES) this.#made.delete(this.#made.keys().next().value!);
  }

  forget(name: string): void {
    this.#made.delete(name);
  }
}
