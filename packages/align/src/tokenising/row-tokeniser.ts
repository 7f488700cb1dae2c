import { availableParallelism } from 'node:os';
import type { Tokenizer } from '@keel/model';
import type { NamedTokenise, Outcome } from './tokenise-rows.ts';
import { TokenisingThread } from './tokenising-thread.ts';

/**
 * Milliseconds of tokenising above which threads are worth their start: each takes about half a
 * second of a core and the memory of a tokenizer.
 */
const WORTH_MILLISECONDS = 4000;
const MOST_THREADS = 4;

export interface RowTokeniserOptions {
  /** Milliseconds of expected tokenising above which threads are started. */
  worth?: number;
  /** Maximum number of threads. */
  threads?: number;
}

/**
 * Tokenises rows of one kind, in other threads if there is much to do. It starts in the caller's
 * thread and measures. If the expected work would take long, it starts threads, and continues in
 * the caller's thread until the first one is ready. Results, their order and their errors are the
 * same either way. Threads never keep the process alive, and end with it or with `dispose`.
 */
export class RowTokeniser<Row, Tokens, Options> implements Disposable {
  readonly #tokenizer: Tokenizer;
  readonly #tokenise: NamedTokenise<Row, Tokens, Options>;
  readonly #options: Options;
  readonly #worth: number;
  #most: number;
  #threads: TokenisingThread[] = [];
  #expected = 0;
  #rows = 0;
  #milliseconds = 0;
  #closed = false;

  constructor(
    tokenizer: Tokenizer,
    tokenise: NamedTokenise<Row, Tokens, Options>,
    options: Options,
    settings: RowTokeniserOptions = {},
  ) {
    this.#tokenizer = tokenizer;
    this.#tokenise = tokenise;
    this.#options = options;
    this.#worth = settings.worth ?? WORTH_MILLISECONDS;
    this.#most = settings.threads ?? Math.min(MOST_THREADS, availableParallelism());
  }

  /** Announces how many rows will be requested from now on, and the maximum number of threads. */
  expect(rows: number, { threads }: { threads?: number } = {}): void {
    this.#expected = rows;
    if (threads === undefined) return;
    this.#most = threads;
    for (const one of this.#threads.splice(threads)) one[Symbol.dispose]();
  }

  /** Whether rows requested now are tokenised in parallel with the caller's next work. */
  get isAhead(): boolean {
    return this.#threads.some((thread) => thread.isReady);
  }

  /** Number of calls of {@link tokenise} that can run at once. */
  get lanes(): number {
    return Math.max(1, this.#threads.filter((thread) => thread.isReady).length);
  }

  /** The outcome of each row. Never throws. */
  async tokenise(rows: readonly Row[]): Promise<Outcome<Tokens>[]> {
    this.#expected = Math.max(0, this.#expected - rows.length);
    const thread = this.#idlest();
    const found = thread === null ? null : await thread.tokenise(rows);
    if (found === null) {
      const here = this.#here(rows);
      this.#beginThreads();
      return here;
    }
    return found.map((one, index) =>
      one === null ? this.#run(rows[index]!) : { tokens: one.tokens as Tokens | null },
    );
  }

  /** Ends the threads; rows requested afterwards are tokenised in the caller's thread. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const thread of this.#threads) thread[Symbol.dispose]();
    this.#threads = [];
  }

  #idlest(): TokenisingThread | null {
    let best: TokenisingThread | null = null;
    for (const thread of this.#threads) {
      if (thread.isReady && (best === null || thread.waiting < best.waiting)) best = thread;
    }
    return best;
  }

  #run(row: Row): Outcome<Tokens> {
    try {
      return { tokens: this.#tokenise.run(row, this.#tokenizer, this.#options) };
    } catch (error) {
      return { error };
    }
  }

  #here(rows: readonly Row[]): Outcome<Tokens>[] {
    const began = performance.now();
    const outcomes = rows.map((row) => this.#run(row));
    this.#milliseconds += performance.now() - began;
    this.#rows += rows.length;
    return outcomes;
  }

  #beginThreads(): void {
    if (this.#closed || this.#threads.length > 0 || this.#most === 0 || this.#rows === 0) return;
    const expected = (this.#milliseconds / this.#rows) * this.#expected;
    if (expected < this.#worth) return;
    const { module, name } = this.#tokenise;
    const definition = this.#tokenizer.definition();
    const start = { definition, module, name, options: this.#options };
    this.#threads = Array.from({ length: this.#most }, () => new TokenisingThread(start));
  }
}
