// `keel data export`: a project as rows for training, or for other annotation tools.
import { dirname } from 'node:path';
import { ConfigError } from '@keel/align/config';
import { refuseExisting } from '@keel/align/converting';
import { DataError } from '@keel/align/data';
import { writeFileAtomic } from '@keel/align/internal';
import { makeFolder } from '@keel/model';
import { battleRows } from '../arena/export-battles.ts';
import type { ExportTarget, LabelKind } from '../names.ts';
import type { StoredTask } from '../store/items.ts';
import type { PreferenceStore } from '../store/preference-store.ts';
import { argillaRecord, labelStudioTask } from './annotation-tools.ts';
import {
  demonstrationRows,
  editPairs,
  pairRows,
  type RowsOf,
  rankingRows,
  thumbRows,
} from './training-rows.ts';

export interface ExportOptions {
  project: string;
  to: ExportTarget;
  labels: LabelKind;
  /** A JSON Lines file for training, a JSON file for the tools. */
  output: string;
  overwrite: boolean;
  /** Tasks with fewer verdicts are skipped, unless somebody has settled them. */
  minVotes: number;
  /** Whether pairs are also the better answers that people wrote, over the ones edited. */
  edits?: boolean;
  /** Who exports, for the log of actions (default: nobody is named). */
  by?: string | null;
}

export interface ExportSummary {
  to: ExportTarget;
  output: string;
  /** Tasks, or battles with a vote. */
  tasks: number;
  written: number;
  /** Tasks that became no row, and parts of verdicts that were not written, by reason. */
  skipped: Readonly<Record<string, number>>;
}

/** No task became a row. */
export class EmptyExportError extends DataError {
  readonly to: ExportTarget;
  /** Tasks or battles that became no row, by reason; none: there is nothing in the project. */
  readonly skipped: Readonly<Record<string, number>>;

  constructor(place: string, to: ExportTarget, skipped: Readonly<Record<string, number>>) {
    const reasons = Object.entries(skipped).map(([why, count]) => `${count} skipped: ${why}`);
    const nothing = to === 'battles' ? 'no votes' : 'no tasks';
    super({
      file: place,
      expected: `at least one row for --to ${to}`,
      found: reasons.length === 0 ? nothing : `none (${reasons.join('; ')})`,
    });
    this.to = to;
    this.skipped = skipped;
  }
}

const trainingRows: Readonly<Partial<Record<ExportTarget, RowsOf>>> = {
  pairs: pairRows,
  rankings: rankingRows,
  kto: thumbRows,
  demonstrations: demonstrationRows,
};

/** Whether a target is JSON Lines, otherwise one JSON list. */
const isLines = (to: ExportTarget): boolean => to in trainingRows || to === 'battles';

/**
 * @throws ConfigError for another ending than the target's, a file that exists, and edits of other
 *   targets than pairs
 */
export function checkExport({
  to,
  output,
  overwrite,
  edits = false,
}: Pick<ExportOptions, 'to' | 'output' | 'overwrite' | 'edits'>): void {
  if (edits && to !== 'pairs') {
    throw new ConfigError([
      `--edits: only --to pairs has edited answers as chosen ones, found --to ${to}. To write edits alone, use --to demonstrations`,
    ]);
  }
  const [ending, form] = isLines(to) ? ['.jsonl', 'JSON Lines'] : ['.json', 'one JSON list'];
  if (!output.toLowerCase().endsWith(ending)) {
    throw new ConfigError([
      `--output: expected a name that ends in ${ending}, found "${output}". --to ${to} writes ${form}`,
    ]);
  }
  refuseExisting([output], overwrite);
}

/**
 * @throws ConfigError as {@link checkExport}, and for an unknown project
 * @throws EmptyExportError if no row is left; no file is written then
 */
export async function exportProject(
  store: PreferenceStore,
  options: ExportOptions,
): Promise<ExportSummary> {
  checkExport(options);
  const { project, to, labels, output, minVotes, edits = false } = options;
  const id = await store.project(project);
  const skipped: Record<string, number> = {};
  const rows: object[] = [];
  let tasks = 0;
  const { aspects } = await store.settings(id);
  // Stars begin with one.
  const stars = new Set(aspects.flatMap(({ key, least }) => (least >= 1 ? [key] : [])));
  if (to === 'battles') {
    const found = await battleRows(store, id);
    tasks = found.rows.length + found.leaked;
    rows.push(...found.rows);
    if (found.leaked > 0) skipped['an answer names its model or maker'] = found.leaked;
  }
  for await (const task of to === 'battles' ? [] : store.tasks(id)) {
    const skip = (why: string): void => {
      skipped[why] = (skipped[why] ?? 0) + 1;
    };
    const made = rowsOf(task, tasks++, { to, labels, minVotes, stars }, skip);
    if (typeof made === 'string') skip(made);
    else rows.push(...made);
    if (!edits) continue;
    const edited = editPairs(task);
    rows.push(...edited.rows);
    edited.faults.forEach(skip);
  }
  if (rows.length === 0)
    throw new EmptyExportError(`${store.name}, project ${project}`, to, skipped);
  makeFolder(dirname(output));
  const lines = rows.map((row) => JSON.stringify(row));
  writeFileAtomic(output, isLines(to) ? `${lines.join('\n')}\n` : `[\n${lines.join(',\n')}\n]\n`);
  await store.noteAction({
    ...{ person: options.by ?? null, action: 'rows exported', project },
    details: { to, rows: rows.length },
  });
  return { to, output, tasks, written: rows.length, skipped };
}

function rowsOf(
  task: StoredTask,
  index: number,
  {
    to,
    labels,
    minVotes,
    stars,
  }: Pick<ExportOptions, 'to' | 'labels' | 'minVotes'> & { stars: ReadonlySet<string> },
  lost: (why: string) => void,
): object[] | string {
  const votes = task.annotations.filter(({ choice }) => choice !== null).length;
  if (votes < minVotes && task.adjudication === null) return `fewer than ${minVotes} verdicts`;
  const training = trainingRows[to];
  if (training !== undefined) return training(task, labels);
  return [to === 'argilla' ? argillaRecord(task, lost) : labelStudioTask(task, index, stars)];
}
