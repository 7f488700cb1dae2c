// Answers that TRL's online trainers write with log_completions: a Parquet file for each step.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { eachValue } from '@keel/align/data';
import { isPlainObject, plainNumbers } from '@keel/model/exact-json';
import { namesIn, whyUnreadable } from '../folders/read-files.ts';
import { finiteOrNull, type Sample, type SampleEntry, type SampleSource } from './sample-source.ts';

interface PlacedEntry extends SampleEntry {
  file: string;
  /** Its place in the file, from 0. */
  at: number;
}

interface KnownFile {
  signature: string;
  entries: Omit<PlacedEntry, 'line'>[];
  fault: string | null;
}

type Row = Record<string, unknown>;

/** Columns that are no rewards. */
const others = new Set(['step', 'prompt', 'completion', 'advantage', 'mode']);

/** The answers in a folder of TRL's completions. */
export class CompletionFiles implements SampleSource {
  readonly #folder: string;
  readonly #weightsOf: (functions: readonly string[]) => readonly number[] | null;
  readonly #isReward: (column: string) => boolean;
  #files = new Map<string, KnownFile>();
  /** Prompts by their texts, in the order in which they were first seen. */
  readonly #prompts = new Map<string, number>();
  #updating: Promise<void> | null = null;
  entries: PlacedEntry[] = [];
  version = 0;

  /**
   * @param weightsOf weights of reward functions, in the order of their columns; null: not known
   * @param isReward whether a column has what a reward function gave
   */
  constructor(
    folder: string,
    weightsOf: (functions: readonly string[]) => readonly number[] | null,
    isReward: (column: string) => boolean,
  ) {
    this.#folder = folder;
    this.#weightsOf = weightsOf;
    this.#isReward = isReward;
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
    for (const { name, signature } of listed(this.#folder)) {
      const before = known.get(name);
      const same = before?.signature === signature;
      files.set(name, same ? before : await this.#readFile(name, signature));
      changed ||= !same;
    }
    if (!changed && files.size === known.size) return;
    this.#files = files;
    this.entries = [...files.values()]
      .flatMap(({ entries }) => entries)
      .map((entry, at) => ({ ...entry, line: at + 1 }));
    this.version += 1;
  }

  async #readFile(name: string, signature: string): Promise<KnownFile> {
    try {
      const rows = await rowsOf(join(this.#folder, name));
      const entries = rows.flatMap((row, at) => {
        const { step, prompt } = row;
        if (typeof step !== 'number' || typeof row.completion !== 'string') return [];
        const numbers = { gold: null, kl: null, tokens: null, heldOut: false };
        return {
          ...numbers,
          file: name,
          at,
          step,
          row: this.#rowOf(prompt),
          reward: this.#reward(row),
        };
      });
      const skipped = rows.length - entries.length;
      const fault =
        skipped === 0 ? null : `completions/${name}: ${skipped} rows have no step or no completion`;
      return { signature, entries, fault };
    } catch (error) {
      const why = whyUnreadable(error) ?? 'it is gone';
      return { signature, entries: [], fault: `completions/${name}: ${why}` };
    }
  }

  async read(entries: readonly PlacedEntry[]): Promise<Sample[]> {
    const files = new Map<string, Row[]>();
    for (const { file } of entries) {
      if (!files.has(file)) {
        // A file that is written again has its rows at the next update.
        files.set(file, await rowsOf(join(this.#folder, file)).catch(() => []));
      }
    }
    return entries.flatMap(({ file, at, line }) => {
      const row = files.get(file)?.[at];
      return row === undefined ? [] : [this.#sampleOf(row, line)];
    });
  }

  #sampleOf(row: Row, line: number): Sample {
    const { step, prompt, completion } = row;
    return {
      ...{ line, step: step as number, row: this.#rowOf(prompt), reward: this.#reward(row) },
      prompt: typeof prompt === 'string' ? prompt : JSON.stringify(prompt ?? null),
      completion: completion as string,
      aspects: Object.fromEntries(
        this.#rewardColumns(row).flatMap((name) => {
          const value = finiteOrNull(row[name]);
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

  #rewardColumns(row: Row): string[] {
    const columns = Object.keys(row).filter((name) => !others.has(name));
    const named = columns.filter(this.#isReward);
    return named.length > 0 ? named : columns.filter((name) => typeof row[name] === 'number');
  }

  /** TRL's reward: the weighted sum of what the functions gave. */
  #reward(row: Row): number | null {
    const columns = this.#rewardColumns(row);
    const weights = columns.length === 0 ? null : this.#weightsOf(columns);
    const given = columns.map((name) => finiteOrNull(row[name]));
    // A function that does not apply to an answer gives nothing.
    if (weights === null || given.every((value) => value === null)) return null;
    return given.reduce<number>((sum, value, at) => sum + (value ?? 0) * weights[at]!, 0);
  }
}

/** The files in the order of their steps. */
function listed(folder: string): { name: string; signature: string }[] {
  return namesIn(folder)
    .filter((name) => name.endsWith('.parquet'))
    .sort((a, b) => stepIn(a) - stepIn(b) || (a < b ? -1 : 1))
    .flatMap((name) => {
      const found = statSync(join(folder, name), { throwIfNoEntry: false });
      if (found === undefined) return [];
      return [{ name, signature: `${found.ino}-${found.size}-${found.mtimeMs}` }];
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
