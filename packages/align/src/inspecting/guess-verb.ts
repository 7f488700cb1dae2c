// Which verb rows are for, by the fields of the first ones.
import { isPlainObject } from '@keel/model/exact-json';
import type { RowReading } from '../config/row-options.ts';
import { openFile } from '../data/open-file.ts';
import { resolveFiles } from '../data/resolve-files.ts';
import { renameAdvice } from '../data/row-forms.ts';
import { RowReader } from '../data/row-reader.ts';
import type { RowKind } from '../data/rows.ts';

/** Rows to read. */
const SAMPLED_ROWS = 100;

/** Ends the reading of a file. */
class Enough extends Error {}

/**
 * The first rows of a spec, as Keel reads them; rows that cannot be read are skipped.
 * @throws DataError, FileError if a file cannot be read
 */
export async function firstRows(spec: readonly string[], reading: RowReading): Promise<unknown[]> {
  const [path] = await resolveFiles([...spec]);
  const reader = new RowReader({ columns: reading.columns ?? null });
  const found: unknown[] = [];
  try {
    const file = await openFile(path!, {
      name: path!,
      kind: null,
      fieldOf: reader.fieldOf,
      maxRowBytes: 64 * 2 ** 20,
      reject() {},
      progress() {},
      accept(value, place) {
        found.push(reader.read(value, place));
        if (found.length === SAMPLED_ROWS) throw new Enough();
        return false;
      },
    });
    await file.close();
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
  }
  return found;
}

/** The verb that most of the rows are for. */
export function guessVerb(rows: readonly unknown[]): string {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const verb = verbOf(row);
    if (verb !== null) counts.set(verb, (counts.get(verb) ?? 0) + 1);
  }
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a);
  return most?.[0] ?? 'sft';
}

export const isRanking = (row: unknown): boolean =>
  isPlainObject(row) && row.completions != null && row.chosen == null && row.labels == null;

/** The verb that trains on a row with these fields; null if none does. */
export function verbOf(row: unknown): string | null {
  if (!isPlainObject(row)) return null;
  const has = (...names: string[]): boolean => names.every((name) => row[name] != null);
  if (has('chosen') || has('rejected')) return 'dpo';
  if (has('completions')) return 'reward';
  if (has('completion', 'label')) return 'kto';
  if (has('messages') || has('completion') || has('text')) return 'sft';
  // A row of another format, whose fields have other names.
  const renamed = renamedKinds.find(([kind]) => renameAdvice(kind, row) !== undefined);
  if (renamed !== undefined) return renamed[1];
  return has('prompt') ? 'grpo' : null;
}

const renamedKinds: readonly (readonly [RowKind, string])[] = [
  ['preference', 'dpo'],
  ['unpaired', 'kto'],
  ['supervised', 'sft'],
];
