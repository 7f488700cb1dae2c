// Opens data whose rows are of one of several kinds.
import type { RowReading } from '../config/row-options.ts';
import { DataError } from './data-error.ts';
import { openRows, type RefuseRow, type RowSource } from './open-rows.ts';
import { type Row, type RowKind, rowSchemas } from './rows.ts';

/** A source of rows of one of several kinds. */
export type SourceOf<Kinds extends RowKind> = { [Kind in Kinds]: RowSource<Kind> }[Kinds];

export interface OpenOneOfOptions extends RowReading {
  data: readonly string[];
  onBadRow: 'fail' | 'skip';
  /** Finds faults in valid rows, which then count as bad. */
  refuse?: RefuseRow<Row> | undefined;
}

/**
 * Opens the rows as the first kind that fits all of them. A row that has a kind's own fields is of
 * that kind, even if they are invalid: no later kind, which would drop them, is tried.
 * @throws the DataError of the kind that fits the most rows; of kinds that fail at the same row,
 *   the one whose fields the row has
 */
export async function openOneOf<Kinds extends RowKind>(
  { data, onBadRow, refuse, columns, wrapChat }: OpenOneOfOptions,
  kinds: readonly Kinds[],
): Promise<SourceOf<Kinds>> {
  let furthest: DataError | null = null;
  for (const kind of kinds) {
    try {
      return (await openRows(data, {
        kind,
        onBadRow,
        refuse,
        columns,
        wrapChat,
      })) as SourceOf<Kinds>;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      if (onBadRow === 'fail' && isInvalid(error, kind)) throw error;
      if (furthest === null || isFurther(error, furthest)) furthest = error;
    }
  }
  throw furthest ?? new TypeError('expected at least one kind of rows');
}

/** {@link openOneOf} of two kinds. */
export const openEither = <First extends RowKind, Second extends RowKind>(
  options: RowReading & { data: readonly string[]; onBadRow: 'fail' | 'skip' },
  first: First,
  second: Second,
): Promise<SourceOf<First | Second>> => openOneOf<First | Second>(options, [first, second]);

/** Whether a row has a field of the kind other than the prompt, with an invalid value. */
const isInvalid = (error: DataError, kind: RowKind): boolean => {
  const name = /^\w+/.exec(faultOf(error).field ?? '')?.[0] ?? 'prompt';
  return depth(error) === 2 && name !== 'prompt' && name in rowSchemas[kind].shape;
};

/** The fault of the first row, if every row is bad. */
const faultOf = (error: DataError): DataError =>
  error.cause instanceof DataError ? error.cause : error;

const isFurther = (one: DataError, other: DataError): boolean =>
  place(one) === place(other) ? depth(one) > depth(other) : place(one) > place(other);

/**
 * How well a row fits the kind: 0 not at all, 1 except for a missing field, 2 except for an invalid
 * value.
 */
const depth = (error: DataError): number => {
  const { field, found } = faultOf(error);
  return field === undefined ? 0 : found === 'nothing' ? 1 : 2;
};

/** How far into the data the first fault is. */
const place = (error: DataError): number => {
  const { line, row } = faultOf(error);
  return line ?? row ?? 0;
};
