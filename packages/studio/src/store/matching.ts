// Searching for text, in small or large letters.
import { type RawBuilder, sql } from 'kysely';

/** Whether a column contains a text, in small or large letters. */
export function containsText(column: RawBuilder<unknown>, text: string): RawBuilder<boolean> {
  // The databases know small and large letters of ASCII only, or more as they were set up.
  const capitalised = text.charAt(0).toUpperCase() + text.slice(1);
  const forms = [text, text.toLowerCase(), text.toUpperCase(), capitalised].map(asciiLower);
  const found = [...new Set(forms)].map((form) => {
    const pattern = `%${form.replace(/[\\%_]/g, '\\$&')}%`;
    return sql<boolean>`lower(coalesce(${column}, '')) like ${pattern} escape '\\'`;
  });
  return sql<boolean>`(${sql.join(found, sql` or `)})`;
}

const asciiLower = (text: string): string => text.replace(/[A-Z]+/g, (part) => part.toLowerCase());

/**
 * Whether a prompt or an answer contains a text, in small or large letters: in the text itself or
 * in that of a chat's message, and not in the names of roles and fields with which it is stored.
 * @param column of JSON, as JSON.stringify writes it: a text, or a list of messages
 */
export function contentContainsText(
  column: RawBuilder<unknown>,
  text: string,
  postgres: boolean,
): RawBuilder<boolean> {
  // Most rows are told apart by how the text would be written in JSON, without reading the JSON.
  const written = containsText(column, JSON.stringify(text).slice(1, -1));
  const { string, messages, content } = postgres ? inPostgres(column) : inSqlite(column);
  const read = postgres ? text.replaceAll('\0', '\ufffd') : text;
  return sql<boolean>`case
    when ${column} like '[%' then ${written} and exists (
      select 1 from ${messages} as message where ${containsText(content, read)})
    when ${column} like '%\\\\%' escape '\\' then ${containsText(string, read)}
    else ${written} end`;
}

const inSqlite = (column: RawBuilder<unknown>) => ({
  string: sql`json_extract(${column}, '$')`,
  messages: sql`json_each(${column})`,
  content: sql`json_extract(message.value, '$.content')`,
});

/** PostgreSQL has no null character and no half of a surrogate pair in its texts. */
const inPostgres = (column: RawBuilder<unknown>) => {
  // Their escapes, behind an even number of backslashes.
  const unknown = String.raw`(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})`;
  const known = String.raw`\1\\ufffd`;
  const json = sql`regexp_replace(${column}, ${unknown}, ${known}, 'g')::jsonb`;
  return {
    string: sql`${json} #>> '{}'`,
    messages: sql`jsonb_array_elements(${json})`,
    content: sql`message.value ->> 'content'`,
  };
};
