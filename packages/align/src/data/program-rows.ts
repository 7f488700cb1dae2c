// Rows that a program passes itself, instead of naming files.

import { createHash } from 'node:crypto';
import { exactJson, parseExactJson } from '@keel/model/exact-json';
import { DataError } from './data-error.ts';
import type { IndexContext, RowFile } from './row-file.ts';

/** Rows as a program has them: plain objects with the fields of a row. */
export type GivenRows = Iterable<object> | AsyncIterable<object>;

/** A copy of a program's rows. */
export interface ProgramRows {
  /** What messages call them, such as `data`. */
  name: string;
  /** As JSON would read them. */
  rows: readonly unknown[];
  /** SHA-256 of the rows as JSONL. */
  sha256: string;
}

/** Where rows come from: files, folders, globs and `hub:` specs, or a program. */
export type RowSpec = string | readonly string[] | ProgramRows;

export const isProgramRows = (spec: RowSpec): spec is ProgramRows =>
  typeof spec === 'object' && 'rows' in spec;

/**
 * Copies rows, so that later changes by the program do not change the run.
 * @throws DataError naming a row that JSON cannot express
 */
export async function copyRows(name: string, given: GivenRows): Promise<ProgramRows> {
  const rows: unknown[] = [];
  const hash = createHash('sha256');
  for await (const row of given) {
    const text = jsonOf(row, { file: name, row: rows.length + 1 });
    hash.update(`${text}\n`);
    rows.push(parseExactJson(text));
  }
  return { name, rows, sha256: hash.digest('hex') };
}

function jsonOf(row: unknown, place: { file: string; row: number }): string {
  let reason = `${typeof row}`;
  try {
    const text: string | undefined = exactJson(row);
    if (text !== undefined) return text;
  } catch (error) {
    reason = (error as Error).message.split('\n')[0]!;
  }
  throw new DataError({ ...place, expected: 'a row that JSON can express', found: reason });
}

/** The good ones of a program's rows. */
export function openProgramRows({ rows: given }: ProgramRows, context: IndexContext): RowFile {
  const rows: unknown[] = [];
  const numbers: number[] = [];
  for (const [index, row] of given.entries()) {
    const number = index + 1;
    if (!context.accept(row, { file: context.name, row: number })) continue;
    rows.push(row);
    numbers.push(number);
  }
  return {
    length: rows.length,
    value: async (index) => rows[index],
    async *iterate(from) {
      for (let index = from; index < rows.length; index++) yield rows[index];
    },
    place: (index) => ({ file: context.name, row: numbers[index] }),
    async close() {},
  };
}
