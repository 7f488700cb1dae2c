// Where the scores of answers come from: a column of their rows, or a reward.
import { ConfigError } from '@keel/align';
import { placeName } from '@keel/align/data';
import { type Reward, readsColumns } from '@keel/align/rewards';
import { isPlainObject, plainNumbers } from '@keel/model/exact-json';
import type { AnswerRow } from '../../judging/answers/answer-row.ts';
import { columnScores, hasColumn, usualColumns } from './score-column.ts';
import { type ScoringHooks, scoreWithReward } from './score-with-reward.ts';

export interface AnswerScores {
  /** The column, or the reward's name. */
  name: string;
  /** One for each row; null: none. */
  scores: (number | null)[];
  /** How much the members of an ensemble differ, one for each row; null: it is none. */
  deviations: (number | null)[];
}

export interface ScoreOptions extends ScoringHooks {
  /** The option that names the scores. */
  what: 'reward' | 'gold';
  openReward(spec: string): Promise<Reward>;
  /** Why columns of the rows are not known, for a run's samples; null: all are. */
  noColumns: string | null;
  onNotice?(text: string): void;
}

/**
 * @param named a column of the rows or of the parts of their reward, or a reward; null: the first
 *   column that is such a score by its name
 * @returns null if nothing is named, and there is no such column
 * @throws DataError for a value of the column that is no number; ConfigError for a reward that
 *   reads columns which are not known; as `openReward` and
 *   `scoreWithReward`
 */
export async function answerScores(
  rows: readonly AnswerRow[],
  named: string | null,
  { what, openReward, noColumns, onNotice, ...hooks }: ScoreOptions,
): Promise<AnswerScores | null> {
  if (named === null) {
    const column = usualColumns[what].find((name) => hasColumn(rows, name));
    return column === undefined ? null : ofColumn(rows, column);
  }
  if (hasColumn(rows, named)) return ofColumn(rows, named);
  await using reward = await opened(openReward(named), `--${what} ${named}`);
  if (noColumns !== null && readsColumns(named)) {
    throw new ConfigError([
      `--${what} ${named}: may read columns of the rows, and those of the run's prompts are not known: ${noColumns}. Restore the files that the run was trained with, or answer the same prompts with keel generate before and after, and pass both files`,
    ]);
  }
  const inputs = rows.map(({ prompt, answer, extra, columns, rendering, place }) => ({
    ...{ prompt, completion: answer, extra: { ...extra, ...columns }, place: placeName(place) },
    ...(rendering && { rendering }),
  }));
  const { scores, deviations, unreadable, fault } = await scoreWithReward(reward, inputs, hooks);
  if (fault !== null) {
    onNotice?.(`${reward.name} cannot read ${unreadable} of ${rows.length} answers. ${fault}`);
  }
  return { name: reward.name, scores, deviations };
}

/** A run's samples have what their reward was made of. */
const ofColumn = (rows: readonly AnswerRow[], name: string): AnswerScores => ({
  name,
  scores: columnScores(rows, name),
  deviations: rows.map(({ extra: { aspects } }) => {
    const value = isPlainObject(aspects) ? plainNumbers(aspects.deviation) : null;
    return typeof value === 'number' ? value : null;
  }),
});

/** Says that a name was taken for a reward because no row has such a column. */
async function opened(reward: Promise<Reward>, option: string): Promise<Reward> {
  try {
    return await reward;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError([
      `${option}: the rows have no column of this name, and it cannot be opened as a reward. ${error.message}`,
    ]);
  }
}
