// The rows of files in groups: consecutive rows of a format may be one example.
import type { Place } from '../data/data-error.ts';
import type { ValueSource } from '../data/open-values.ts';
import type { Fields } from './formats/example.ts';
import type { Tally } from './tally.ts';

export interface ConversionHooks {
  /** Rows read so far. */
  onProgress?(done: number, total: number): void;
  /** Stops the conversion; nothing is written then. */
  signal?: AbortSignal;
}

/** What decides which rows are one example. */
interface Grouping {
  format: { groupBy?(row: Fields): string | null };
}

export interface RowGroup<Detected> {
  rows: Fields[];
  /** Of the first row. */
  place: Place;
  detected: Detected;
}

/**
 * Reads the rows of files and counts them. Bad rows are counted, or end the reading, as the tally
 * does.
 * @param detect the format of a row
 */
export async function* groupedRows<Detected extends Grouping>(
  source: ValueSource,
  tally: Tally,
  detect: (row: Fields, place: Place) => Detected,
  { onProgress, signal }: ConversionHooks = {},
): AsyncIterable<RowGroup<Detected>> {
  let group: RowGroup<Detected> | null = null;
  let key: string | null = null;
  for await (const placed of source.iterate()) {
    signal?.throwIfAborted();
    tally.read++;
    onProgress?.(tally.read, source.length);
    const row = tally.take(placed.place, () => source.fields(placed));
    if (row === undefined) continue;
    const detected = detect(row, placed.place);
    const own = detected.format.groupBy?.(row) ?? null;
    if (group !== null && (own === null || own !== key || group.detected !== detected)) {
      yield group;
      group = null;
    }
    key = own;
    if (group === null) group = { rows: [row], place: placed.place, detected };
    else group.rows.push(row);
  }
  if (group !== null) yield group;
}
