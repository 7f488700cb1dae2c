// The rows of a task, as its files have them.
import { DataError } from '@keel/align';
import type { Place } from '@keel/align/data';
import { ValueSource } from '@keel/align/internal';

/** A row of a task's data. */
export interface Doc {
  /** Its number in the data, from 0. */
  id: number;
  row: Readonly<Record<string, unknown>>;
  place: Place;
}

export interface Docs {
  docs: Doc[];
  /** Names of the columns that some row has. */
  columns: ReadonlySet<string>;
}

/**
 * Reads rows of any form.
 * @throws DataError for a file that does not exist, is empty or has a row that is not an object
 */
export async function openDocs(specs: string | readonly string[]): Promise<Docs> {
  const list = typeof specs === 'string' ? [specs] : specs;
  await using source = await ValueSource.open(list, {
    reject: (error) => {
      throw error;
    },
  });
  const docs: Doc[] = [];
  const columns = new Set<string>();
  for await (const placed of source.iterate()) {
    const row = source.fields(placed);
    for (const column of Object.keys(row)) columns.add(column);
    docs.push({ id: docs.length, row, place: placed.place });
  }
  if (docs.length === 0) throw new DataError({ file: list.join(', '), found: 'no rows' });
  return { docs, columns };
}
