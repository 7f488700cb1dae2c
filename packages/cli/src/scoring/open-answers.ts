import {
  type CompletionRow,
  DataError,
  openRows,
  type PreferenceRow,
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
export async function openAnswers({ data, onBadRow }: AnswerSourceOptions): Promise<AnswerSource> {
  try {
    return await openRows(data, { kind: 'preference', onBadRow });
  } catch (pairError) {
    if (!(pairError instanceof DataError)) throw pairError;
    try {
      return await openRows(data, { kind: 'completion', onBadRow });
    } catch (completionError) {
      const further =
        completionError instanceof DataError && place(completionError) > place(pairError);
      throw further ? completionError : pairError;
    }
  }
}

/** How far into the data the first fault is. */
const place = ({ line, row }: DataError): number => line ?? row ?? 0;
