import {
  openOneOf,
  otherAnswerFault,
  pairRanks,
  type RowOf,
  type SourceOf,
} from '@keel/align/data';
import type { RewardInput } from '@keel/align/rewards';
import { type AnswerSourceOptions, scoringFault } from './open-answers.ts';

const kinds = ['preference', 'ranking', 'samples', 'completion'] as const;
export type JudgedKind = (typeof kinds)[number];

/**
 * Opens rows with answers of any kind: pairs, rankings, several samples, or one completion each.
 * @param promptsOnly whether the reward reads no other columns; a row with text for its prompt in
 *   one is then refused
 */
export const openJudged = (
  options: AnswerSourceOptions,
  promptsOnly: boolean,
): Promise<SourceOf<JudgedKind>> =>
  openOneOf({ ...options, refuse: promptsOnly ? scoringFault : otherAnswerFault }, kinds);

/** A row's answers as inputs of a reward, with their ranks if the row has any. */
export interface JudgedRow {
  inputs: RewardInput[];
  /** One per answer, 1 for the best; null if the row has none. */
  ranks: readonly number[] | null;
  /** Of a pair, that chosen is the better answer; absent if the row has none. */
  probability?: number;
}

export function judgedRow(kind: JudgedKind, row: RowOf[JudgedKind]): JudgedRow {
  const { prompt, extra, rendering } = row;
  const inputs = (answers: readonly RewardInput['completion'][]): RewardInput[] =>
    answers.map((completion) => ({
      ...{ prompt, completion, extra },
      ...(rendering && { rendering }),
    }));
  if (kind === 'completion') {
    return { inputs: inputs([(row as RowOf['completion']).completion]), ranks: null };
  }
  if (kind === 'preference') {
    const { chosen, rejected, label_probability: probability } = row as RowOf['preference'];
    const ranks = pairRanks(probability);
    return {
      inputs: inputs([chosen, rejected]),
      ranks,
      ...(probability !== undefined && { probability }),
    };
  }
  const { completions, ranks = null } = row as RowOf['samples'] & { ranks?: number[] };
  return { inputs: inputs(completions), ranks };
}
