// The rows of a run.

import { exactJson } from '@keel/model/exact-json';
import { rowsOf } from '../config/row-options.ts';
import type { TrainingOptions } from '../config/training-options.ts';
import type { DataRows } from '../data/derived-rows.ts';
import { rowMarkFault } from '../data/dropped-columns.ts';
import {
  type OpenRowsOptions,
  openRows,
  type RefuseRow,
  type RowSource,
} from '../data/open-rows.ts';
import type { RowSpec } from '../data/program-rows.ts';
import type { RowKind, RowOf } from '../data/rows.ts';
import { trainingFault } from '../data/training-fault.ts';
import { writeFileAtomic } from '../files/atomic-write.ts';
import type { ProgramInputs } from './program-inputs.ts';

/** A remark of a run that does not stop it. */
export interface NoticeEvent {
  type: 'notice';
  text: string;
  /**
   * The same in notices that differ in their numbers only, such as those of progress. Displays
   * recognise them by it, and all others by their whole text.
   */
  code?: string;
}

/** Reports a sentence to the user. */
export type Notice = (text: string, code?: string) => void;

export const noticeEvent = (text: string, code?: string): NoticeEvent => ({
  type: 'notice',
  text,
  ...(code && { code }),
});

export interface RunData<K extends RowKind = RowKind> extends AsyncDisposable {
  rows: DataRows<K>;
  /** null without --eval-data. */
  heldOut: DataRows<K> | null;
}

/** Where a run's rows come from, and which of them cannot be used. */
export interface RowOrigin<Options, K extends RowKind> {
  rowKind: K;
  /**
   * Why this run cannot use a row; null where it can. Every row is checked before a model is
   * loaded.
   */
  refuse?: RefuseRow<RowOf[K]>;
  /** Opens files of rows (default: {@link openRows} of the kind). */
  open?(spec: RowSpec, options: Options, notice: Notice): Promise<DataRows<K>>;
}

/** @throws DataError as {@link openRows} does */
export async function openRunData<Options extends TrainingOptions, K extends RowKind>(
  { rowKind: kind, refuse, open: openOwn }: RowOrigin<Options, K>,
  options: Options,
  notice: Notice,
  program: ProgramInputs = {},
): Promise<RunData<K>> {
  await using opened = new AsyncDisposableStack();
  const refuseRow: RefuseRow<RowOf[K]> = (row) =>
    refuse?.(row) ?? (kind === 'prompt' ? rowMarkFault(row) : trainingFault(row));
  const open = async (spec: RowSpec): Promise<DataRows<K>> => {
    const source: DataRows<K> = opened.use(
      (await openOwn?.(spec, options, notice)) ??
        (await openRows(spec, { ...rowsOf(options), kind, refuse: refuseRow })),
    );
    reportBadRows(source, notice);
    return source;
  };
  const rows = await open(program.data ?? options.data);
  const evalData = program.evalData ?? options.evalData;
  const heldOut = evalData === null ? null : await open(evalData);
  const stack = opened.move();
  return { rows, heldOut, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/**
 * Opens rows, and reports bad ones that are skipped. @throws DataError as {@link openRows} does
 */
export async function openNoticed<K extends RowKind>(
  spec: readonly string[],
  options: OpenRowsOptions<K>,
  notice: Notice,
): Promise<RowSource<K>> {
  const source = await openRows(spec, options);
  reportBadRows(source, notice);
  return source;
}

function reportBadRows(
  { badRowCount: count, badRows, files }: DataRows<RowKind>,
  notice: Notice,
): void {
  if (count === 0) return;
  notice(`${count} rows of ${files.join(', ')} are skipped, the first: ${badRows[0]!.message}`);
}

/** Fingerprint of each source by the names of its files. */
export async function dataHashes({ rows, heldOut }: RunData): Promise<Record<string, string>> {
  const sources = heldOut === null ? [rows] : [rows, heldOut];
  const entries = sources.map(
    async (one) => [one.files.join(' '), await one.fingerprint()] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** Writes rows with their places, one JSON object per line. */
export async function writeRows(
  path: string,
  source: Pick<DataRows<RowKind>, 'readMany' | 'place'>,
  rows: readonly number[],
): Promise<void> {
  const places = [...new Set(rows)];
  const found = await source.readMany(places);
  const lines = found.map((row, i) =>
    exactJson({ row: places[i], ...source.place(places[i]!), ...row }),
  );
  writeFileAtomic(path, lines.map((line) => `${line}\n`).join(''));
}
