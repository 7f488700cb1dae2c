import { exactJson, PythonFloat } from '@keel/model/exact-json';

/**
 * The place of a row: `line` counts from 1 in text files, `row` counts from 1 in files without
 * lines.
 */
export interface Place {
  file: string;
  line?: number;
  row?: number;
}

export interface DataErrorDetails extends Place {
  /** The field, with its path: `chosen`, `chosen[1].content`. */
  field?: string;
  /** What the format requires. Without it, `found` alone describes the fault. */
  expected?: string;
  /** What was found instead, shortened. */
  found: string;
  /** What the user can do about it. */
  advice?: string;
}

/**
 * A fault in a data file, described so that the user can fix it:
 * `pairs.jsonl:17: field "chosen": expected a string or a list of messages, found a number (3)`.
 */
export class DataError extends Error {
  readonly file: string;
  readonly line: number | undefined;
  readonly row: number | undefined;
  readonly field: string | undefined;
  readonly expected: string | undefined;
  readonly found: string;
  readonly advice: string | undefined;

  constructor(details: DataErrorDetails, options?: ErrorOptions) {
    super(messageOf(details), options);
    this.name = 'DataError';
    this.file = details.file;
    this.line = details.line;
    this.row = details.row;
    this.field = details.field;
    this.expected = details.expected;
    this.found = details.found;
    this.advice = details.advice;
  }
}

/** Throws the DataError of a fault in a field (undefined: in the row as a whole). */
export type Fail = (
  field: string | undefined,
  details: Omit<DataErrorDetails, keyof Place | 'field'>,
) => never;

/** `pairs.jsonl:17` or `pairs.parquet, row 17`. */
export const placeName = ({ file, line, row }: Place): string => {
  if (line !== undefined) return `${file}:${line}`;
  return row === undefined ? file : `${file}, row ${row}`;
};

/** Longest part of a message, in characters: names and values in data have no maximum length. */
const LONGEST_PART = 400;

const messageOf = (details: DataErrorDetails): string => {
  const part = (text: string): string =>
    text.length <= LONGEST_PART ? text : shorten(text, LONGEST_PART);
  const field = details.field === undefined ? '' : ` field "${part(details.field)}":`;
  const found = part(details.found);
  const fault =
    details.expected === undefined ? found : `expected ${part(details.expected)}, found ${found}`;
  const advice = details.advice === undefined ? '' : `. ${details.advice}`;
  return `${placeName(details)}:${field} ${fault}${advice}`;
};

/** The first `limit` characters, on one line; an ellipsis marks a cut. */
export const shorten = (text: string, limit = 60): string => {
  const line = text.slice(0, limit + 1).replace(/\s+/g, ' ');
  return text.length > limit ? `${line.slice(0, limit)}…` : line;
};

/** Describes a value in words, for `found`. */
export const describeValue = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'number') {
    return Number.isFinite(value) ? `a number (${value})` : `${value}`;
  }
  if (value instanceof PythonFloat || typeof value === 'bigint')
    return `a number (${exactJson(value)})`;
  if (typeof value === 'boolean') return `${value}`;
  if (typeof value === 'string') {
    return value === '' ? 'an empty string' : `a string ("${shorten(value)}")`;
  }
  if (Array.isArray(value)) {
    return value.length === 0 ? 'an empty list' : `a list (${shorten(exactJson(value))})`;
  }
  if (value instanceof Uint8Array) return `${value.length} bytes that are not UTF-8 text`;
  if (typeof value === 'object') {
    const keys = Object.keys(value);
    if (keys.length === 0) return 'an empty object';
    return `an object with the fields ${shorten(keys.join(', '))}`;
  }
  return `a ${typeof value} (${shorten(String(value))})`;
};
