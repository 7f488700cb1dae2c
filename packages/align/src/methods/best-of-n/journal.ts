// Saves what has been sampled so far, next to the output file: a job that was stopped or killed
// resumes from it.
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
import { exactJson, parseExactJson } from '@keel/model/exact-json';
import { appendWhole } from '../../files/append-whole.ts';
import { writeFileAtomic } from '../../files/atomic-write.ts';
import type { LeftOutPrompt, SampledPrompt } from './sampled-prompt.ts';

/** The settings that determine a job, by option. */
export type JobIdentity = Record<string, string | number | boolean | null>;

export type JournalLine = SampledPrompt | LeftOutPrompt;

/** A job's journal: a line with the job's identity, then one line per prompt, in order. */
export class Journal {
  readonly path: string;
  readonly #chunk: number;
  #lines = 0;

  private constructor(path: string, chunk: number) {
    this.path = path;
    this.#chunk = chunk;
  }

  /**
   * Opens the journal of `output`, and truncates it to its last complete chunk.
   * @param chunk number of prompts written together
   * @param prompts number of prompts in the whole job; the last chunk may be smaller
   * @throws Error if it belongs to another job
   */
  static open(
    output: string,
    identity: JobIdentity,
    { chunk, prompts, overwrite }: { chunk: number; prompts: number; overwrite: boolean },
  ): Journal {
    const journal = new Journal(`${output}.partial`, chunk);
    if (overwrite) rmSync(journal.path, { force: true });
    if (!existsSync(journal.path)) {
      writeFileAtomic(journal.path, `${JSON.stringify({ identity })}\n`);
      return journal;
    }
    journal.#refuseOtherJob(identity);
    journal.#cutBack(prompts);
    return journal;
  }

  /**
   * Prompts that `open` would find done; changes nothing.
   * @throws Error as `open` does
   */
  static done(
    output: string,
    identity: JobIdentity,
    { chunk, prompts, overwrite }: { chunk: number; prompts: number; overwrite: boolean },
  ): number {
    const journal = new Journal(`${output}.partial`, chunk);
    if (overwrite || !existsSync(journal.path)) return 0;
    journal.#refuseOtherJob(identity);
    return journal.#wholeChunks(prompts).lines;
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

  append(lines: readonly JournalLine[]): void {
    appendWhole(this.path, lines.map((line) => `${exactJson(line)}\n`).join(''));
    const descriptor = openSync(this.path, 'r+');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    this.#lines += lines.length;
  }

  *read(): Generator<JournalLine> {
    let first = true;
    for (const { text } of wholeLines(this.path)) {
      if (!first) yield lineOf(text);
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
      `${this.path} was sampled with other settings: ${changes.join('; ')}. Use the same settings to resume, pass --overwrite to start over, or choose another --output`,
    );
  }

  /** An incomplete chunk is sampled again, because its random draws depend on the whole chunk. */
  #cutBack(prompts: number): void {
    const { lines, end } = this.#wholeChunks(prompts);
    this.#lines = lines;
    truncateSync(this.path, end);
  }

  /** The lines of prompts in complete chunks, and where they end. */
  #wholeChunks(prompts: number): { lines: number; end: number } {
    const ends = Array.from(wholeLines(this.path), ({ end }) => end);
    const found = ends.length - 1;
    const lines = found >= prompts ? prompts : found - (found % this.#chunk);
    return { lines, end: ends[lines]! };
  }
}

function headOf(path: string): JobIdentity | null {
  const [head] = wholeLines(path);
  return (JSON.parse(head?.text ?? '{}') as { identity?: JobIdentity }).identity ?? null;
}

const shown = (value: JobIdentity[string] | undefined): string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 12)}…` : `${value}`;

/**
 * The journal's own numbers are plain; numbers inside the row's fields keep their original form.
 */
const lineOf = (text: string): JournalLine => {
  const line = JSON.parse(text) as JournalLine;
  if ('left_out' in line) return line;
  const { prompt, tools, chat_template_kwargs } = parseExactJson(text) as SampledPrompt;
  return {
    ...{ ...line, prompt },
    ...(tools && { tools }),
    ...(chat_template_kwargs && { chat_template_kwargs }),
  };
};

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
