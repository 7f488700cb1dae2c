import {
  type CompletionRow,
  DataError,
  openRows,
  type PreferenceRow,
  type RowKind,
  type RowSource,
} from '@keel/align';

export interface AnswerSourceOptions {
  data: string[];
  onBadRow: 'fail' | 'skip';
}

/** Rows with answers: pairs, or one completion each. */
export type AnswerRow = PreferenceRow | CompletionRow;
export type AnswerSource = RowSource<'preference'> | RowSource<'completion'>;

export const isPair = (row: AnswerRow): row is PreferenceRow => 'chosen' in row;

/**
 * Opens rows of pairs or of completions, whichever the files hold.
 * @throws DataError of the kind that more of the rows are of
 */
export const openAnswers = (options: AnswerSourceOptions): Promise<AnswerSource> =>
  openEither(options, 'preference', 'completion');

/**
 * Opens rows of one of two kinds, whichever the files hold.
 * @throws DataError of the kind that more of the rows are of
 */
export async function openEither<First extends RowKind, Second extends RowKind>(
  { data, onBadRow }: AnswerSourceOptions,
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
