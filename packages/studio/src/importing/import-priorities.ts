// `keel data priorities`: rows with a number for tasks that the store has.
import { type ConversionHooks, type Fields, Tally } from '@keel/align/converting';
import { DataError, describeValue, type Place, ValueSource } from '@keel/align/data';
import type { TaskInput } from '../store/items.ts';
import type { PreferenceStore } from '../store/preference-store.ts';
import { numberOf, textOrNull } from './formats/content.ts';
import { detectTasks } from './formats/formats.ts';

export interface PriorityOptions {
  /** Files, folders, globs and `hub:` specs. */
  files: readonly string[];
  /** `field=column`: Keel's field, and the column of the files that holds it. */
  columns: readonly string[] | null;
  onBadRow: 'fail' | 'skip';
  project: string;
  /** Who computed them; null: the column `priority_source`, otherwise "file". */
  source: string | null;
  /** Who sets them, for the log of actions. */
  by?: string | null;
}

export interface PrioritySummary {
  rows: number;
  /** Tasks with a new priority. */
  tasks: number;
  badRows: number;
  firstBadRow: string | null;
}

interface Row {
  place: Place;
  priority: number;
  source: string;
  task: string | TaskInput;
}

/**
 * @throws DataError for the first bad row unless bad rows are skipped: one without a priority, or
 *   of a task that the project has not; the store is as it was then
 */
export async function importPriorities(
  store: PreferenceStore,
  { files, columns, onBadRow, project, source, by = null }: PriorityOptions,
  { onProgress, signal }: ConversionHooks = {},
): Promise<PrioritySummary> {
  const id = await store.project(project);
  const tally = new Tally(onBadRow);
  await using rows = await ValueSource.open(files, { columns, reject: (one) => tally.bad(one) });
  const read: Row[] = [];
  for await (const placed of rows.iterate()) {
    signal?.throwIfAborted();
    tally.read += 1;
    onProgress?.(tally.read, rows.length);
    const row = tally.take(placed.place, () =>
      rowOf(rows.fields(placed), placed.place, source, tally),
    );
    if (row !== undefined) read.push(row);
  }
  const inputs = read.flatMap(({ task }) => (typeof task === 'string' ? [] : [task]));
  const found = (await store.findTasks(id, inputs)).values();
  const own = await store.taskIds(id);
  const bySource = new Map<string, Map<string, number>>();
  for (const { place, priority, source: given, task } of read) {
    const known = typeof task === 'string' ? (own.has(task) ? task : null) : found.next().value!;
    if (known === null) {
      tally.bad(
        new DataError({
          ...place,
          ...(typeof task === 'string' && { field: 'task' }),
          expected: `a task of project ${project}`,
          found: typeof task === 'string' ? describeValue(task) : 'prompt and answers of none',
        }),
      );
      continue;
    }
    const priorities = bySource.get(given) ?? new Map<string, number>();
    bySource.set(given, priorities.set(known, priority));
  }
  const tasks = new Set([...bySource.values()].flatMap((one) => [...one.keys()]));
  if (tasks.size === 0) throw tally.nothing(files.join(', '));
  for (const [given, priorities] of bySource) await store.setPriorities(id, priorities, given, by);
  const { badRows, firstBadRow } = tally.summary('', { format: { name: '' }, reason: '' });
  return { rows: tally.read, tasks: tasks.size, badRows, firstBadRow };
}

function rowOf(row: Fields, place: Place, source: string | null, tally: Tally): Row {
  const reading = tally.reading(place, null);
  const priority = numberOf(row.priority);
  if (priority === null)
    return reading.fail('priority', { expected: 'a number', found: describeValue(row.priority) });
  const given = {
    ...{ place, priority },
    source: source ?? textOrNull(row.priority_source) ?? 'file',
  };
  if (row.task !== undefined) {
    if (typeof row.task === 'string') return { ...given, task: row.task };
    return reading.fail('task', { expected: "a task's id", found: describeValue(row.task) });
  }
  const { priority: _, priority_source: __, ...others } = row;
  const { format } = detectTasks(others, place);
  const task = format.read([others], { ...reading, person: 'file', question: null });
  if (task !== null) return { ...given, task };
  return reading.fail(undefined, {
    expected: '"task", or prompt and answers of a task',
    found: describeValue(row),
  });
}
