// Many rows in few statements.
import type { Writing } from './database.ts';
import type { Tables } from './schema.ts';

/** SQLite has at most 32,766 parameters in a statement. */
const PARAMETERS = 30_000;

export async function insertAll<Name extends keyof Tables>(
  writing: Writing,
  table: Name,
  rows: readonly Tables[Name][],
): Promise<void> {
  if (rows.length === 0) return;
  const width = Object.keys(rows[0]!).length;
  for (const part of parts(rows, width)) {
    // biome-ignore lint/suspicious/noExplicitAny: Kysely cannot see that they are this table's
    const values = part as any;
    await writing.insertInto(table).values(values).execute();
  }
}

/** Rows in parts that fit into one statement. */
export function* parts<Row>(rows: readonly Row[], width: number): Iterable<Row[]> {
  const size = Math.floor(PARAMETERS / width);
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
}
