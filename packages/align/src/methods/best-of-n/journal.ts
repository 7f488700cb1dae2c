// What has been sampled so far, beside the file that it becomes: a job that was stopped or killed
// goes on from it.
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

/** What a job is made of, by the option that says it. */
export type JobIdentity = Record<string, string | number | boolean | null>;

export type JournalLine = SampledPrompt | LeftOutPrompt;

/** A job's journal: a line that says what the job is, then a line a prompt, in order. */
export class Journal {
  readonly path: string;
  readonly #chunk: number;
  #lines = 0;

  private constructor(path: string, chunk: number) {
    this.path = path;
    this.#chunk = chunk;
  }

  /**
   * Opens the journal of `output`, and cuts it back to its last whole chunk.
   * @param chunk prompts that are written together
   * @param prompts of the whole job: its last chunk may be smaller
   * @throws Error where it is of another job
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

  /** What the job is made of whose journal is there for `output`; null where there is none. */
  static identityOf(output: string): JobIdentity | null {
    const path = `${output}.partial`;
    return existsSync(path) ? headOf(path) : null;
  }

  /** Prompts that it has. */
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
    const told = names.map((name) => `${name} was ${shown(saved[name])}, now ${shown(now[name])}`);
    throw new Error(
      `${this.path} is what another job has sampled: ${told.join('; ')}. Give what it began with, --overwrite to begin anew, or another --output`,
    );
  }

  /** A chunk that was not written whole is sampled again: its draws depend on all of it. */
  #cutBack(prompts: number): void {
    const ends = Array.from(wholeLines(this.path), ({ end }) => end);
    const found = ends.length - 1;
    this.#lines = found >= prompts ? prompts : found - (found % this.#chunk);
    truncateSync(this.path, ends[this.#lines]!);
  }
}

function headOf(path: string): JobIdentity | null {
  const [head] = wholeLines(path);
  return (JSON.parse(head?.text ?? '{}') as { identity?: JobIdentity }).identity ?? null;
}

const shown = (value: JobIdentity[string] | undefined): string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, 12)}…` : `${value}`;

/** The journal's own numbers are plain; those inside the row's fields are as the row has them. */
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

/** Lines that end, and where; of a file of any size. */
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
