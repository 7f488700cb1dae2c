// Files of any format as tasks with verdicts.
import { type ConversionHooks, groupedRows, Tally } from '@keel/align/converting';
import { ValueSource } from '@keel/align/data';
import type { TaskInput } from '../store/items.ts';
import { type Detected, detectTasks, tasksNamed } from './formats/formats.ts';

export interface TaskReadingOptions {
  /** Files, folders, globs and `hub:` specs. */
  files: readonly string[];
  /** A format's name, or `auto`. */
  from: string;
  /** `field=column`: Keel's field, and the column of the files that holds it. */
  columns: readonly string[] | null;
  onBadRow: 'fail' | 'skip';
  /** Who gave the verdicts of rows that name nobody. */
  person: string;
  /** Question of Argilla's records that has the verdicts. */
  question: string | null;
  /** Column or rating that orders answers; null for the format's default. */
  score: string | null;
}

export interface ReadTasks {
  tasks: TaskInput[];
  /** Files by format. */
  formats: Readonly<Record<string, readonly string[]>>;
  rows: number;
  badRows: number;
  firstBadRow: string | null;
  /** Rows that are no task, by reason. */
  skipped: Readonly<Record<string, number>>;
  /** Columns that were not read, with the number of rows and the reason. */
  dropped: readonly { column: string; rows: number; why: string }[];
}

/**
 * @throws DataError for the first bad row unless bad rows are skipped, for rows of no known format,
 *   and if there is no task
 */
export async function readTasks(
  { files, from, columns, onBadRow, person, question, score }: TaskReadingOptions,
  hooks: ConversionHooks = {},
): Promise<ReadTasks> {
  const tally = new Tally(onBadRow);
  await using source = await ValueSource.open(files, { columns, reject: (one) => tally.bad(one) });
  const byFile = new Map<string, Detected>();
  const tasks: TaskInput[] = [];
  const detect = (row: Record<string, unknown>, place: { file: string }): Detected => {
    const known = byFile.get(place.file);
    if (known !== undefined) return known;
    const found = from === 'auto' ? detectTasks(row, place) : tasksNamed(from);
    byFile.set(place.file, found);
    return found;
  };
  for await (const { rows, place, detected } of groupedRows(source, tally, detect, hooks)) {
    const reading = { ...tally.reading(place, score), person, question };
    const task = tally.take(place, () => detected.format.read(rows, reading), rows.length);
    if (task != null) tasks.push(task);
  }
  if (tasks.length === 0) throw tally.nothing(files.join(', '));
  const formats: Record<string, string[]> = {};
  for (const [file, { format }] of byFile)
    formats[format.name] = [...(formats[format.name] ?? []), file];
  const [first] = byFile.values();
  const { read, badRows, firstBadRow, skipped, dropped } = tally.summary('', first!);
  return { tasks, formats, rows: read, badRows, firstBadRow, skipped, dropped };
}
