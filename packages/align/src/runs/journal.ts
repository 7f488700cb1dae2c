// Saves what a job has done so far, next to its output: a job that was stopped or killed resumes
// from it.
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { exactJson } from '@keel/model/exact-json';
import { appendWhole } from '../files/append-whole.ts';
import { writeFileAtomic } from '../files/atomic-write.ts';

/** The settings that determine a job, by option. */
export type JobIdentity = Record<string, string | number | boolean | null>;

/** How the journal of a job is opened. */
export interface JournalOptions<Line> {
  /** Number of prompts written together. */
  chunk: number;
  /** Number of prompts in the whole job; the last chunk may be smaller. */
  prompts: number;
  /** Starts over. */
  overwrite: boolean;
  /** A line from its JSON. */
  parse(text: string): Line;
}

/** A job's journal: a line with the job's identity, then one line per prompt, in order. */
export class Journal<Line> {
  readonly path: string;
  readonly #options: JournalOptions<Line>;
  #lines = 0;

  private constructor(output: string, options: JournalOptions<Line>) {
    this.path = `${output}.partial`;
    this.#options = options;
  }

  /**
   * Opens the journal of `output`, and truncates it to its last complete chunk.
   * @throws Error if it belongs to another job
   */
  static open<Line>(
    output: string,
    identity: JobIdentity,
    options: JournalOptions<Line>,
  ): Journal<Line> {
    const journal = new Journal(output, options);
    if (options.overwrite) rmSync(journal.path, { force: true });
    if (!existsSync(journal.path)) {
      writeFileAtomic(journal.path, `${JSON.stringify({ identity })}\n`);
      return journal;
    }
    journal.#refuseOtherJob(identity);
    journal.#cutBack();
    return journal;
  }

  /**
   * Prompts that `open` would find done; changes nothing.
   * @throws Error as `open` does
   */
  static done<Line>(output: string, identity: JobIdentity, options: JournalOptions<Line>): number {
    const journal = new Journal(output, options);
    if (options.overwrite || !existsSync(journal.path)) return 0;
    journal.#refuseOtherJob(identity);
    return journal.#wholeChunks().lines;
  }

  /** The identity in the existing journal of `output`; null if there is no journal. */
  static identityOf(output: string): JobIdentity | null {
    const path = `${output}.partial`;
    return existsSync(path) ? headOf(path) : null;
  }

  /** Number of prompts in it. */
  get length(): number {
    return this.#lines;
  }

  append(lines: readonly Line[]): void {
    appendWhole(this.path, lines.map((line) => `${exactJson(line)}\n`).join(''));
    const descriptor = openSync(this.path, 'r+');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    this.#lines += lines.length;
  }

  *read(): Generator<Line> {
    let first = true;
    for (const { text } of wholeLines(this.path)) {
      if (!first) yield this.#options.parse(text);
      first = false;
    }
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }

  #refuseOtherJob(now: JobIdentity): void {
    const saved = headOf(this.path) ?? {};
    const names = Object.keys(now).filter((name) => saved[name] !== now[name]);
    if (names.length === 0) return;
    const changes = names.map(
      (name) => `${name} changed from ${shown(saved[name])} to ${shown(now[name])}`,
    );
    throw new Error(
      `${this.path} was made with other settings: ${changes.join('; ')}. Use the same settings to resume, pass --overwrite to start over, or choose another --output`,
    );
  }

  /** An incomplete chunk is sampled again, because its random draws depend on the whole chunk. */
  #cutBack(): void {
    const { lines, end } = this.#wholeChunks();
    this.#lines = lines;
    truncateSync(this.path, end);
  }

  /** The lines of prompts in complete chunks, and where they end. */
  #wholeChunks(): { lines: number; end: number } {
    const { chunk, prompts } = this.#options;
    const ends = Array.from(wholeLines(this.path), ({ end }) => end);
    const found = ends.length - 1;
    const lines = found >= prompts ? prompts : found - (found % chunk);
    return { lines, end: ends[lines]! };
  }
}

function headOf(path: string): JobIdentity | null {
  const [head] = wholeLines(path);
  return (JSON.parse(head?.text ?? '{}') as { identity?: JobIdentity }).identity ?? null;
}

const shown = (value: JobIdentity[string] | undefined): string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 12)}…` : `${value}`;

/** Complete lines and where they end, for a file of any size. */
function* wholeLines(path: string): Generator<{ text: string; end: number }> {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(1 << 20);
    const decoder = new StringDecoder('utf8');
    let [left, end] = ['', 0];
    for (;;) {
      const count = readSync(descriptor, bytes);
      if (count === 0) return;
      const pieces = (left + decoder.write(bytes.subarray(0, count))).split('\n');
      left = pieces.pop()!;
      for (const text of pieces) {
        end += Buffer.byteLength(text) + 1;
        yield { text, end };
      }
    }
  } finally {
    closeSync(descriptor);
  }
}
