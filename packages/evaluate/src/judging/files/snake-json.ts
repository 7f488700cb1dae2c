import { writeFileAtomic } from '@keel/align/internal';

type SnakeName<Name> = Name extends `${infer Head}${infer Rest}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${SnakeName<Rest>}`
  : Name;

/** Plain data with the names that JSON files have. */
export type SnakeJson<Value> = Value extends readonly unknown[]
  ? { -readonly [Key in keyof Value]: SnakeJson<Value[Key]> }
  : Value extends object
    ? { -readonly [Key in keyof Value as SnakeName<Key>]: SnakeJson<Value[Key]> }
    : Value;

/** Plain data with names as JSON files have them: `winRate` becomes `win_rate`. */
export const snakeJson = <Value>(value: Value): SnakeJson<Value> =>
  renamed(value) as SnakeJson<Value>;

function renamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renamed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, own]) => [
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    renamed(own),
  ]);
  return Object.fromEntries(entries);
}

/** Writes a JSON file whose readers expect this content. */
export const writeJson = <Content>(path: string, value: Content): void =>
  writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
