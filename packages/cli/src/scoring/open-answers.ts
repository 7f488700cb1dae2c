import {
  type CompletionRow,
  openEither,
  type PreferenceRow,
  type RowSource,
} from '@keel/align/data';

export interface AnswerSourceOptions {
  data: string[];
  onBadRow: 'fail' | 'skip';
  columns?: readonly string[] | null;
  wrapChat?: boolean;
}

/** Rows with answers: pairs, or one completion each. */
export type AnswerRow = PreferenceRow | CompletionRow;
export type AnswerSource = RowSource<'preference'> | RowSource<'completion'>;

export const isPair = (row: AnswerRow): row is PreferenceRow => 'chosen' in row;

/**
 * Opens rows of pairs or of completions, whichever the files contain.
 * @throws DataError for the kind that more of the rows match
 */
export const openAnswers = (options: AnswerSourceOptions): Promise<AnswerSource> =>
  openEither(options, 'preference', 'completion');
