// The pairs of a run: rows that are pairs, or pairs of rankings; all of them, or only those with a
// large enough gap between their scores.
import { scoreGap } from '../../batching/tokenise-pair.ts';
import { rowsOf } from '../../config/row-options.ts';
import { type DataRows, DerivedRows } from '../../data/derived-rows.ts';
import { type Content, isChat, textOf } from '../../data/messages.ts';
import { openRows, type RefuseRow } from '../../data/open-rows.ts';
import type { RowSpec } from '../../data/program-rows.ts';
import { rankingPairs } from '../../data/ranking-pairs.ts';
import type { PreferenceRow, RankingRow } from '../../data/rows.ts';
import { rankingFault, trainingFault } from '../../data/training-fault.ts';
import type { Notice } from '../../training/run-data.ts';
import type { DpoOptions } from './dpo-options.ts';

/**
 * @param seen called once for every pair that is trained on
 * @throws DataError as {@link openRows} does, for a ranking that is all ties or contradicts itself,
 *   and for a pair without scores where they decide
 * @throws Error where no pair is left
 */
export async function openPairs(
  spec: RowSpec,
  options: DpoOptions,
  refuse: RefuseRow<PreferenceRow>,
  notice: Notice,
  seen: (row: PreferenceRow) => void = () => {},
): Promise<DataRows<'preference'>> {
  const { rankingPairs: pairing, minScoreGap } = options;
  const how = rowsOf(options);
  const refusePair: RefuseRow<PreferenceRow> = (row) => {
    const fault =
      refuse(row) ??
      trainingFault(row) ??
      (minScoreGap !== null && scoreGap(row) === null ? withoutScores : null);
    if (fault === null && isSure(row, options)) seen(row);
    return fault;
  };
  let pairs: DataRows<'preference'>;
  if (pairing === null) {
    pairs = await openRows(spec, { ...how, kind: 'preference', refuse: refusePair });
  } else {
    const refuseRanking: RefuseRow<RankingRow> = (row) => {
      const fault = rankingFault(row);
      if (fault !== null) return fault;
      const own = rankingPairs(row, pairing);
      return own.map(refusePair).find((one) => one !== null) ?? null;
    };
    const rankings = await openRows(spec, { ...how, kind: 'ranking', refuse: refuseRanking });
    pairs = await DerivedRows.of(rankings, {
      kind: 'preference',
      name: `ranking pairs ${pairing}`,
      derive: (row) => rankingPairs(row, pairing),
    });
    notice(`${pairs.length} pairs of ${rankings.length} rankings (--ranking-pairs ${pairing})`);
  }
  if (minScoreGap === null) return pairs;
  const sure = await DerivedRows.of<'preference', 'preference'>(pairs, {
    kind: 'preference',
    name: `score gap ${minScoreGap}`,
    derive: (row) => (isSure(row, { minScoreGap }) ? [row] : []),
  });
  const left = pairs.length - sure.length;
  if (sure.length === 0) {
    await pairs.close();
    throw new Error(
      `--min-score-gap ${minScoreGap}: the scores of all ${left} pairs of ${pairs.files.join(', ')} differ by less. Pass a smaller gap`,
    );
  }
  if (left > 0) {
    notice(
      `${left} of ${pairs.length} pairs of ${pairs.files.join(', ')} are skipped: their scores differ by less than --min-score-gap ${minScoreGap}`,
    );
  }
  return sure;
}

/**
 * Whether the scores of a pair differ enough to train on it; a pair without scores is refused
 * elsewhere.
 */
export const isSure = (
  row: PreferenceRow,
  { minScoreGap }: Pick<DpoOptions, 'minScoreGap'>,
): boolean => minScoreGap === null || (scoreGap(row) ?? 0) >= minScoreGap;

/** Characters by which the chosen answer is longer. */
export const lengthDifference = ({ chosen, rejected }: PreferenceRow): number =>
  characters(chosen) - characters(rejected);

const characters = (content: Content): number =>
  isChat(content)
    ? content.reduce((sum, message) => sum + textOf(message).length, 0)
    : content.length;

const withoutScores = {
  field: 'score_chosen',
  expected: 'scores of both answers, by which --min-score-gap chooses',
  found: 'a row without them',
  advice: 'Add "score_chosen" and "score_rejected" (or "scores" of a ranking), or omit the option',
};
