import type { DataErrorDetails, Place } from '@keel/align/data';
import type { AnswerStyle } from './answer-style.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** A battle as a row of a file states it. */
export interface RowBattle {
  a: string;
  b: string;
  /** 1: a won, 0: b won, 0.5: a tie; a judge's probability that a is better may be in between. */
  outcome: number;
  weight?: number;
  /** The prompt's text; null if the row has none. */
  prompt: string | null;
  /** Who decided, if the row names them. */
  judge?: string;
  /** Whether a tie was called as "both are bad". */
  bothBad?: boolean;
  /** Prompt and answers, as texts or turns; null if the row does not have them. */
  content?(): BattleContent | null;
  /** Style of both answers; null if the row has neither answers nor counts. */
  style(): readonly [a: AnswerStyle, b: AnswerStyle] | null;
}

/** What was compared. Without a prompt, both answers start with it. */
export interface BattleContent {
  prompt?: unknown;
  a: unknown;
  b: unknown;
}

export interface RowReading {
  place: Place;
  /** @throws DataError at the row's place */
  fail(field: string | undefined, details: Omit<DataErrorDetails, keyof Place | 'field'>): never;
  /** Counts a well-formed row that is no battle. */
  skip(why: string): readonly [];
}

/** A form of files with battles. To add one, write a file and a line in `formats.ts`. */
export interface BattleFormat {
  name: string;
  /** What it is, with its columns, for the documentation and for errors. */
  columns: string;
  /** Whether a row has the format's columns. */
  recognise(row: Fields): boolean;
  battles(row: Fields, reading: RowReading): readonly RowBattle[];
}
