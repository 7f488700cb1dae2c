// A form of files whose rows are tasks. To add one, write a file in formats/ and a line there.
import type { Fields, Reading } from '@keel/align/converting';
import type { TaskInput } from '../../store/items.ts';

export interface TaskReading extends Reading {
  /** Who gave the verdicts of rows that name nobody. */
  person: string;
  /** Question of an Argilla record that has the verdict; null: the only one that can be. */
  question: string | null;
}

export interface TaskFormat {
  name: string;
  /** Consecutive rows with the same key are one task (default: each row is one). */
  groupBy?(row: Fields): string | null;
  /** What identifies a row as this format; null if nothing does. */
  recognise(row: Fields): string | null;
  /** @returns null for rows that were skipped */
  read(rows: readonly Fields[], reading: TaskReading): TaskInput | null;
}
