// A row of any format, before it is written as a row of Keel.
import type { Fail, Place } from '../../data/data-error.ts';

export type Fields = Record<string, unknown>;

/** A text, or a list of messages, which is checked when the row is written. */
export type AnyContent = string | readonly unknown[];

interface Common {
  /** Other columns of the row: those of the chat template, and those that rewards may read. */
  columns: Fields;
}

/** One person's vote on a pair. */
export interface PairVote {
  /** The person's name; null if the votes are a list. */
  person: string | null;
  vote: 'chosen' | 'rejected' | 'tie';
}

/** One example, by its content. */
export type Example = Common &
  (
    | { kind: 'chat'; messages: readonly unknown[] }
    | { kind: 'answer'; prompt: AnyContent; completion: AnyContent }
    | {
        kind: 'pair';
        prompt?: AnyContent;
        chosen: AnyContent;
        rejected: AnyContent;
        scores: Fields;
        /** What each person said, if the format has it. */
        votes?: readonly PairVote[];
      }
    | { kind: 'ranking'; prompt: AnyContent; completions: readonly AnyContent[]; order: Fields }
    | {
        kind: 'thumb';
        prompt: AnyContent;
        completion: AnyContent;
        label: unknown;
        label_probability?: unknown;
      }
    | { kind: 'prompt'; prompt: AnyContent }
    | { kind: 'text'; text: string }
    | { kind: 'steps'; prompt: AnyContent; completions: readonly unknown[]; labels: unknown }
  );

export type ExampleKind = Example['kind'];

/** What a format needs to know and to report while it converts an example. */
export interface Reading {
  /** Name of the column or rating that orders answers; null for the format's default. */
  score: string | null;
  place: Place;
  /** @throws DataError at the row's place */
  fail: Fail;
  /** Counts a column that the result cannot hold. */
  drop(column: string, why: string): void;
  /** Counts a well-formed example that becomes no row. */
  skip(why: string): null;
}

/** A format of another tool. To add one, write a file and a line in `formats.ts`. */
export interface RowFormat {
  name: string;
  /** Other names of the same form. */
  aliases?: readonly string[];
  /** Columns by which it is recognised, for the documentation and for errors. */
  columns: string;
  /** The columns that it reads; their names in another form (`Input`) are refused. */
  reads?: readonly string[];
  /** What identifies a row as this format, such as `the columns "a" and "b"`; null if nothing. */
  recognise(row: Fields): string | null;
  /** Consecutive rows with the same key are one example (default: each row is one). */
  groupBy?(row: Fields): string | null;
  /** @returns null for an example that was skipped */
  convert(rows: readonly Fields[], reading: Reading): Example | null;
}
