// Data whose rows are of one of several kinds.
import { DataError } from './data-error.ts';
import { openRows, type RowSource } from './open-rows.ts';
import type { RowKind } from './rows.ts';

/** A source of rows of one of several kinds. */
export type SourceOf<Kinds extends RowKind> = { [Kind in Kinds]: RowSource<Kind> }[Kinds];

/**
 * Opens rows of the first kind that all of them are of.
 * @throws DataError of the kind that more of the rows are of
 */
export async function openOneOf<Kinds extends RowKind>(
  { data, onBadRow }: { data: readonly string[]; onBadRow: 'fail' | 'skip' },
  kinds: readonly Kinds[],
): Promise<SourceOf<Kinds>> {
  let furthest: DataError | null = null;
  for (const kind of kinds) {
    try {
      return (await openRows(data, { kind, onBadRow })) as SourceOf<Kinds>;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      if (furthest === null || place(error) > place(furthest)) furthest = error;
    }
  }
  throw furthest ?? new TypeError('no kind of rows was named');
}

/** {@link openOneOf} of two kinds. */
export const openEither = <First extends RowKind, Second extends RowKind>(
  options: { data: readonly string[]; onBadRow: 'fail' | 'skip' },
  first: First,
  second: Second,
): Promise<SourceOf<First | Second>> => openOneOf<First | Second>(options, [first, second]);

/** How far into the data the first fault is. */
const place = ({ line, row }: DataError): number => line ?? row ?? 0;
