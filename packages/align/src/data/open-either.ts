// Data whose rows are of one of two kinds.
import { DataError } from './data-error.ts';
import { openRows, type RowSource } from './open-rows.ts';
import type { RowKind } from './rows.ts';

/**
 * Opens rows of one of two kinds, whichever the files hold.
 * @throws DataError of the kind that more of the rows are of
 */
export async function openEither<First extends RowKind, Second extends RowKind>(
  { data, onBadRow }: { data: readonly string[]; onBadRow: 'fail' | 'skip' },
  first: First,
  second: Second,
): Promise<RowSource<First> | RowSource<Second>> {
  try {
    return await openRows(data, { kind: first, onBadRow });
  } catch (firstError) {
    if (!(firstError instanceof DataError)) throw firstError;
    try {
      return await openRows(data, { kind: second, onBadRow });
    } catch (secondError) {
      const further = secondError instanceof DataError && place(secondError) > place(firstError);
      throw further ? secondError : firstError;
    }
  }
}

/** How far into the data the first fault is. */
const place = ({ line, row }: DataError): number => line ?? row ?? 0;
