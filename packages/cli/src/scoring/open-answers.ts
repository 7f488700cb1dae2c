import {
  type CompletionRow,
  leftOutOfPrompt,
  openOneOf,
  otherAnswerFault,
  type PreferenceRow,
  type Row,
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
 * @throws DataError for the kind that more of the rows match, and for a row with both or with text
 *   for its prompt in another column
 */
export const openAnswers = (options: AnswerSourceOptions): Promise<AnswerSource> =>
  openOneOf({ ...options, refuse: scoringFault }, ['preference', 'completion']);

/** Why a valid row cannot be scored as it is meant; null if it can. */
export const scoringFault = (row: Row): ReturnType<typeof leftOutOfPrompt> =>
  otherAnswerFault(row) ?? leftOutOfPrompt(row);
