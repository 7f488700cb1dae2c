// The rows of a run.
import type { TrainingOptions } from '../config/training-options.ts';
import {
  type OpenRowsOptions,
  openRows,
  type RefuseRow,
  type RowSource,
} from '../data/open-rows.ts';
import type { RowKind, RowOf } from '../data/rows.ts';
import { writeFileAtomic } from '../runs/atomic-write.ts';

/** Tells the user a sentence. */
export type Notice = (text: string) => void;

export interface RunData<K extends RowKind = RowKind> extends AsyncDisposable {
  rows: RowSource<K>;
  /** null without --eval-data. */
  heldOut: RowSource<K> | null;
}

/** @throws DataError as {@link openRows} does */
export async function openRunData<K extends RowKind>(
  kind: K,
  options: TrainingOptions,
  notice: Notice,
  refuse?: RefuseRow<RowOf[K]>,
): Promise<RunData<K>> {
  await using opened = new AsyncDisposableStack();
  const how = { kind, onBadRow: options.onBadRow, refuse };
  const open = async (spec: readonly string[]): Promise<RowSource<K>> =>
    opened.use(await openNoticed(spec, how, notice));
  const rows = await open(options.data);
  const heldOut = options.evalData === null ? null : await open(options.evalData);
  const stack = opened.move();
  return { rows, heldOut, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Opens rows, and tells of bad ones that are left out. @throws DataError as {@link openRows} does */
export async function openNoticed<K extends RowKind>(
  spec: readonly string[],
  options: OpenRowsOptions<K>,
  notice: Notice,
): Promise<RowSource<K>> {
  const source = await openRows(spec, options);
  const { badRowCount: count, badRows, files } = source;
  if (count > 0) {
    notice(`${count} rows of ${files.join(', ')} are left out, the first: ${badRows[0]!.message}`);
  }
  return source;
}

/** Fingerprint of each source by its files' names. */
export async function dataHashes({ rows, heldOut }: RunData): Promise<Record<string, string>> {
  const sources = heldOut === null ? [rows] : [rows, heldOut];
  const entries = sources.map(
    async (one) => [one.files.join(' '), await one.fingerprint()] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** Writes rows with the places they stand in, one JSON object a line. */
export async function writeRows(
  path: string,
  source: RowSource<RowKind>,
  rows: readonly number[],
): Promise<void> {
  const places = [...new Set(rows)];
  const found = await source.readMany(places);
  const lines = found.map((row, i) =>
    JSON.stringify({ row: places[i], ...source.place(places[i]!), ...row }),
  );
  writeFileAtomic(path, lines.map((line) => `${line}\n`).join(''));
}
