// Verdicts of one judge in a folder. Each process appends to a file of its own, so that two never
// write to the same one, and a process that is killed damages at most its own last line.
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { FileError, fileError, makeFolder } from '@keel/model';
import { exactJson, parseExactJson } from '@keel/model/exact-json';
import { z } from 'zod';
import { appendToDescriptor } from '../../files/append-whole.ts';
import type { AnswerRating, NoVerdict, PairVerdict } from '../judge.ts';

export type Verdict = PairVerdict | AnswerRating | NoVerdict;

const FORMAT = 1;

/** The first line of a file, which says whose verdicts follow. */
const headerSchema = z.object({ format: z.literal(FORMAT), identity: z.string() });

const probability = z.number().min(0).max(1);
const count = z.number().nonnegative();

const judgementShape = {
  why: z.string().optional(),
  exchanges: z.array(z.looseObject({ said: z.string() })),
  usage: z.object({ promptTokens: count, answerTokens: count, cost: count }),
};

const rowSchema = z.object({
  key: z.string().regex(/^[0-9a-f]{64}$/),
  verdict: z.union([
    z.object({ ...judgementShape, first: probability, tie: probability }),
    z.object({
      ...judgementShape,
      score: z.number(),
      criteria: z.record(z.string(), z.number()).optional(),
    }),
    z.object({ ...judgementShape, failed: z.string() }),
  ]),
});

/** Where a verdict is. */
interface Place {
  path: string;
  start: number;
  length: number;
}

/** The judge whose verdicts are stored. */
export interface StoredJudge {
  name: string;
  identity: string;
}

export class VerdictStore {
  readonly #folder: string;
  readonly #judge: StoredJudge;
  readonly #notice: (text: string, code: string) => void;
  readonly #places = new Map<string, Place>();
  /** Verdicts that could not be written. */
  readonly #unwritten = new Map<string, Verdict>();
  #own: { descriptor: number; path: string; size: number } | null = null;
  #unwritable = false;

  /**
   * Reads the verdicts that are there.
   * @throws FileError if the folder cannot be read
   */
  constructor(
    folder: string,
    judge: StoredJudge,
    notice: (text: string, code: string) => void = () => {},
  ) {
    const hash = createHash('sha256').update(judge.identity).digest('hex');
    this.#folder = join(folder, hash.slice(0, 32));
    this.#judge = judge;
    this.#notice = notice;
    if (!existsSync(this.#folder)) return;
    const files = named(this.#folder, () => readdirSync(this.#folder));
    for (const file of files.filter((name) => name.endsWith('.jsonl')).sort()) {
      this.#load(join(this.#folder, file));
    }
  }

  /** Number of verdicts. */
  get size(): number {
    return this.#places.size + this.#unwritten.size;
  }

  get(key: string): Verdict | undefined {
    const place = this.#places.get(key);
    if (place === undefined) return this.#unwritten.get(key);
    const row = parseRow(textAt(place));
    if (row?.key === key) return row.verdict;
    this.#notice(`${place.path}: changed while it was in use; asking again`, 'cache-damaged');
    this.#places.delete(key);
    return undefined;
  }

  /** Appends a verdict. If the file system refuses, it is available in this process only. */
  add(key: string, verdict: Verdict): void {
    const line = Buffer.from(`${exactJson({ key, verdict })}\n`);
    try {
      if (this.#unwritable) throw new Unwritable();
      this.#own ??= this.#create();
      const { descriptor, path, size } = this.#own;
      appendToDescriptor(descriptor, path, line);
      this.#own.size += line.length;
      this.#places.set(key, { path, start: size, length: line.length - 1 });
    } catch (error) {
      if (!(error instanceof FileError) && !(error instanceof Unwritable)) throw error;
      this.#unwritten.set(key, verdict);
      this.#places.delete(key);
      if (error instanceof Unwritable) return;
      this.#unwritable = true;
      this.#notice(
        `Verdicts are not cached from here on, so a repeated command asks for them again. ${error.message}`,
        'cache-unwritable',
      );
    }
  }

  close(): void {
    if (this.#own !== null) closeSync(this.#own.descriptor);
    this.#own = null;
  }

  #create(): { descriptor: number; path: string; size: number } {
    const date = new Date().toISOString().replaceAll(/[:.]/g, '-');
    const name = `${date}-${process.pid}-${randomBytes(4).toString('hex')}.jsonl`;
    const path = join(this.#folder, name);
    makeFolder(this.#folder);
    const descriptor = named(path, () => openSync(path, 'ax'));
    const { name: judge, identity } = this.#judge;
    const header = Buffer.from(`${JSON.stringify({ format: FORMAT, judge, identity })}\n`);
    try {
      appendToDescriptor(descriptor, path, header);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    return { descriptor, path, size: header.length };
  }

  #load(path: string): void {
    const bytes = named(path, () => readFileSync(path));
    let [line, start, damaged, first] = [0, 0, 0, 0];
    while (start < bytes.length) {
      const found = bytes.indexOf(10, start);
      const end = found < 0 ? bytes.length : found;
      line += 1;
      const text = bytes.toString('utf8', start, end);
      const isGood = line === 1 ? this.#isHeader(text) : this.#take(text, { path, start, end });
      if (!isGood) {
        damaged += 1;
        first ||= line;
        // Another judge's verdicts, or another format.
        if (line === 1) break;
      }
      start = end + 1;
    }
    if (damaged === 0) return;
    const place = `${path}:${first}`;
    this.#notice(
      first === 1
        ? `${place}: this is no file of verdicts of this judge, so it is not used. Remove it`
        : `${place}: skipped ${damaged} damaged ${damaged === 1 ? 'line' : 'lines'}; these verdicts are asked for again`,
      'cache-damaged',
    );
  }

  #isHeader(text: string): boolean {
    const header = headerSchema.safeParse(jsonOf(text));
    return header.success && header.data.identity === this.#judge.identity;
  }

  #take(text: string, { path, start, end }: { path: string; start: number; end: number }): boolean {
    const row = parseRow(text);
    if (row === null) return false;
    this.#places.set(row.key, { path, start, length: end - start });
    return true;
  }
}

class Unwritable extends Error {}

/** @throws FileError naming the path if the file system refuses */
function named<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw fileError(error, { path });
  }
}

function jsonOf(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

function parseRow(text: string | null): { key: string; verdict: Verdict } | null {
  const row = jsonOf(text ?? '');
  // The parsed row itself: what zod returns has other fields in another order.
  return rowSchema.safeParse(row).success ? (row as { key: string; verdict: Verdict }) : null;
}

/** Text of a file at a place; null if it cannot be read. */
function textAt({ path, start, length }: Place): string | null {
  const bytes = Buffer.alloc(length);
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    return readSync(descriptor, bytes, 0, length, start) === length ? bytes.toString() : null;
  } finally {
    closeSync(descriptor);
  }
}
