import { type RawBuilder, sql } from 'kysely';

/** Whether a column contains a text, in small or large letters. */
export function containsText(column: RawBuilder<unknown>, text: string): RawBuilder<boolean> {
  const pattern = `%${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
  return sql<boolean>`lower(coalesce(${column}, '')) like ${pattern} escape '\\'`;
}
