// Data whose rows are of one of several kinds.
import { DataError } from './data-error.ts';
import { openRows, type RefuseRow, type RowSource } from './open-rows.ts';
import type { Row, RowKind } from './rows.ts';

/** A source of rows of one of several kinds. */
export type SourceOf<Kinds extends RowKind> = { [Kind in Kinds]: RowSource<Kind> }[Kinds];

export interface OpenOneOfOptions {
  data: readonly string[];
  onBadRow: 'fail' | 'skip';
  /** A row of the right kind that it finds fault with is bad. */
  refuse?: RefuseRow<Row> | undefined;
}

/**
 * Opens rows of the first kind that all of them are of.
 * @throws DataError of the kind that more of the rows are of; of kinds that fail at the same row,
 *   the one whose fields it has
 */
export async function openOneOf<Kinds extends RowKind>(
  { data, onBadRow, refuse }: OpenOneOfOptions,
  kinds: readonly Kinds[],
): Promise<SourceOf<Kinds>> {
  let furthest: DataError | null = null;
  for (const kind of kinds) {
    try {
      return (await openRows(data, { kind, onBadRow, refuse })) as SourceOf<Kinds>;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      if (furthest === null || isFurther(error, furthest)) furthest = error;
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

const isFurther = (one: DataError, other: DataError): boolean =>
  place(one) === place(other) ? depth(one) > depth(other) : place(one) > place(other);

/**
 * How far a row is of the kind: not at all, of its name, or but for a fault in a field that it has.
 */
const depth = ({ field, found }: DataError): number =>
  field === undefined ? 0 : found === 'nothing' ? 1 : 2;

/** How far into the data the first fault is. */
const place = ({ line, row }: DataError): number => line ?? row ?? 0;
