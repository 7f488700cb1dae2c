// Values that a file may have as JSON text, as CSV and many Parquet files do.
import { parseExactJson } from '@keel/model/exact-json';

/** A list, or the JSON text of one, as in CSV and many Parquet files; null for anything else. */
export function listIn(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value;
  const parsed = jsonIn(value);
  return Array.isArray(parsed) ? parsed : null;
}

/** The value of JSON text that holds an object or a list; any other value is returned unchanged. */
export function jsonIn(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return parseExactJson(value);
  } catch {
    return value;
  }
}
