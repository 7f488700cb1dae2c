// Answers that TRL's online trainers write with log_completions: a Parquet file for each step.
import { eachValue } from '@keel/align/data';
import { isPlainObject, plainNumbers } from '@keel/model/exact-json';
import { type OwnFile, ownFile } from '../folders/own-file.ts';
import { namesIn, whyUnreadable } from '../folders/read-files.ts';
import type { RunRoot } from '../folders/run-root.ts';
import { finiteOrNull, type Sample, type SampleEntry, type SampleSource } from './sample-source.ts';

interface PlacedEntry extends SampleEntry {
  file: string;
  /** Its place in the file, from 0. */
  at: number;
  /** Numbers of the columns that may be rewards. */
  given: Readonly<Record<string, number | null>>;
}

/** How rewards are added up. */
interface Scheme {
  functions: readonly string[];
  weights: readonly number[] | null;
}

interface KnownFile {
  signature: string;
  entries: Omit<PlacedEntry, 'line'>[];
  /** Columns that may be rewards. */
  columns: readonly string[];
  /** Those of them with numbers. */
  numeric: readonly string[];
  /** With which the rewards of the entries were added up; null: not yet. */
  scheme: Scheme | null;
  fault: string | null;
}

type Row = Record<string, unknown>;

/** Larger files are not read, in bytes. */
const LARGEST = 256e6;

/** Columns that are no rewards. */
const others = new Set(['step', 'prompt', 'completion', 'advantage', 'mode']);

/** What the run records of its rewards, so far. */
export interface RewardRecord {
  /** Weights of reward functions, in the order of their columns; null: not known. */
  weightsOf(functions: readonly string[]): readonly number[] | null;
  /** Whether a column has what a reward function gave. */
  isReward(column: string): boolean;
}

/** The answers in a folder of TRL's completions. */
export class CompletionFiles implements SampleSource {
  readonly #root: RunRoot;
  readonly #folder: string;
  readonly #rewards: () => RewardRecord;
  #files = new Map<string, KnownFile>();
  /** Prompts by their texts, in the order in which they were first seen. */
  readonly #prompts = new Map<string, number>();
  #updating: Promise<void> | null = null;
  entries: PlacedEntry[] = [];
  version = 0;

  /** @param rewards what is recorded by now */
  constructor(root: RunRoot, folder: string, rewards: () => RewardRecord) {
    this.#root = root;
    this.#folder = folder;
    this.#rewards = rewards;
  }

  get faults(): string[] {
    return [...this.#files.values()].flatMap(({ fault }) => fault ?? []);
  }

  /** Two calls at once read the files once. */
  update(): Promise<void> {
    this.#updating ??= this.#update().finally(() => {
      this.#updating = null;
    });
    return this.#updating;
  }

  async #update(): Promise<void> {
    const known = this.#files;
    const files = new Map<string, KnownFile>();
    let changed = false;
    const rewards = this.#rewards();
    for (const { name, file } of listed(this.#root, this.#folder)) {
      const before = known.get(name);
      const signature = file.fault ?? `${file.inode}-${file.size}-${file.time}`;
      const same = before?.signature === signature;
      const read = same ? before : await this.#readFile(name, file, signature);
      const current = rewarded(read, rewards);
      files.set(name, current);
      changed ||= current !== before;
    }
    if (!changed && files.size === known.size) return;
    this.#files = files;
    this.entries = [...files.values()]
      .flatMap(({ entries }) => entries)
      .map((entry, at) => ({ ...entry, line: at + 1 }));
    this.version += 1;
  }

  async #readFile(name: string, file: OwnFile, signature: string): Promise<KnownFile> {
    const none = { signature, entries: [], columns: [], numeric: [], scheme: null };
    if (file.fault !== null) return { ...none, fault: `completions/${name}: ${file.fault}` };
    try {
      const rows = await rowsOf(file.path);
      const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(
        (column) => !others.has(column),
      );
      const entries = rows.flatMap((row, at) => {
        const { step, prompt } = row;
        if (typeof step !== 'number' || typeof row.completion !== 'string') return [];
        const numbers = { reward: null, gold: null, kl: null, tokens: null, heldOut: false };
        const given = Object.fromEntries(
          columns.map((column) => [column, finiteOrNull(row[column])]),
        );
        return { ...numbers, file: name, at, step, row: this.#rowOf(prompt), given };
      });
      const skipped = rows.length - entries.length;
      const fault =
        skipped === 0 ? null : `completions/${name}: ${skipped} rows have no step or no completion`;
      const numeric = columns.filter((one) => rows.some((row) => typeof row[one] === 'number'));
      return { ...none, entries, columns, numeric, fault };
    } catch (error) {
      const why = whyUnreadable(error) ?? 'it is gone';
      return { ...none, fault: `completions/${name}: ${why}` };
    }
  }

  async read(entries: readonly PlacedEntry[]): Promise<Sample[]> {
    const files = new Map<string, Row[]>();
    for (const { file: name } of entries) {
      if (files.has(name)) continue;
      const file = ownFile(this.#root, this.#folder, name, LARGEST);
      // A file that is written again has its rows at the next update.
      const rows = file === null || file.fault !== null ? [] : rowsOf(file.path).catch(() => []);
      files.set(name, await rows);
    }
    return entries.flatMap((entry) => {
      const row = files.get(entry.file)?.[entry.at];
      return row === undefined ? [] : [this.#sampleOf(row, entry)];
    });
  }

  #sampleOf(
    { prompt, completion }: Row,
    { line, step, row, reward, ...entry }: PlacedEntry,
  ): Sample {
    const functions = this.#files.get(entry.file)?.scheme?.functions ?? [];
    return {
      ...{ line, step, row, reward },
      prompt: typeof prompt === 'string' ? prompt : JSON.stringify(prompt ?? null),
      completion: completion as string,
      aspects: Object.fromEntries(
        functions.flatMap((name) => {
          const value = entry.given[name] ?? null;
          return value === null ? [] : [[name, value] as const];
        }),
      ),
      ...{ kl: null, tokens: null, ended: null },
    };
  }

  #rowOf(prompt: unknown): number {
    const key = typeof prompt === 'string' ? prompt : JSON.stringify(prompt ?? null);
    const row = this.#prompts.get(key) ?? this.#prompts.size;
    this.#prompts.set(key, row);
    return row;
  }
}

/** With rewards as the run's record says now: it may get its first numbers after the answers. */
function rewarded(file: KnownFile, rewards: RewardRecord): KnownFile {
  const named = file.columns.filter((column) => rewards.isReward(column));
  const functions = named.length > 0 ? named : file.numeric;
  const weights = functions.length === 0 ? null : rewards.weightsOf(functions);
  const before = file.scheme;
  const scheme = { functions, weights };
  if (before !== null && JSON.stringify(before) === JSON.stringify(scheme)) return file;
  const entries = file.entries.map((one) => ({ ...one, reward: rewardOf(one.given, scheme) }));
  return { ...file, scheme, entries };
}

/** TRL's reward: the weighted sum of what the functions gave. */
function rewardOf(given: PlacedEntry['given'], { functions, weights }: Scheme): number | null {
  const values = functions.map((name) => given[name] ?? null);
  // A function that does not apply to an answer gives nothing.
  if (weights === null || values.every((value) => value === null)) return null;
  return values.reduce<number>((sum, value, at) => sum + (value ?? 0) * weights[at]!, 0);
}

/** The files in the order of their steps. */
function listed(root: RunRoot, folder: string): { name: string; file: OwnFile }[] {
  return namesIn(folder)
    .filter((name) => name.endsWith('.parquet'))
    .sort((a, b) => stepIn(a) - stepIn(b) || (a < b ? -1 : 1))
    .flatMap((name) => {
      const file = ownFile(root, folder, name, LARGEST);
      return file === null ? [] : [{ name, file }];
    });
}

const stepIn = (name: string): number => Number(/(\d+)\.parquet$/.exec(name)?.[1] ?? 0);

/** @throws DataError for a file that is not whole */
async function rowsOf(path: string): Promise<Row[]> {
  const rows: Row[] = [];
  await eachValue([path], {
    each: (value) => void rows.push(isPlainObject(value) ? plainNumbers(value) : {}),
    reject: (error) => {
      throw error;
    },
  });
  return rows;
}
