import { type RawBuilder, sql } from 'kysely';

/** Whether a column of JSON contains a text as it is written there, with its escapes. */
export const jsonContainsText = (column: RawBuilder<unknown>, text: string): RawBuilder<boolean> =>
  containsText(column, JSON.stringify(text).slice(1, -1));

/** Whether a column contains a text, in small or large letters. */
export function containsText(column: RawBuilder<unknown>, text: string): RawBuilder<boolean> {
  const pattern = `%${text.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
  return sql<boolean>`lower(coalesce(${column}, '')) like ${pattern} escape '\\'`;
}
