// Measures rows by kind: the tokens of a pass and how many of them are scored.
import type { PackedBatch, Tokenizer } from '@keel/model';
import { AnswerPacker } from '../batching/answer-packer.ts';
import { packAnswers } from '../batching/pack-answers.ts';
import { packExamples } from '../batching/pack-examples.ts';
import { packJudged } from '../batching/pack-judged.ts';
import { packPairs } from '../batching/pack-pairs.ts';
import { defaultScoring } from '../batching/scoring-rules.ts';
import { tokeniseExample } from '../batching/tokenise-example.ts';
import { tokeniseJudged } from '../batching/tokenise-judged.ts';
import { tokenisePair } from '../batching/tokenise-pair.ts';
import { tokenisePrompt } from '../batching/tokenise-prompt.ts';
import { packRankings, tokeniseRanking } from '../batching/tokenise-ranking.ts';
import { tokeniseUnpaired } from '../batching/tokenise-unpaired.ts';
import type { TrainingOptions } from '../config/training-options.ts';
import { rankingPairs } from '../data/ranking-pairs.ts';
import type { PreferenceRow, RowKind, RowOf } from '../data/rows.ts';
import { stepsPerRollout } from '../methods/online/online-algorithm.ts';
import type { OnlineOptions } from '../methods/online/online-method.ts';
import type { DpoOptions } from '../methods/pairs/dpo-options.ts';
import { isSure } from '../methods/pairs/open-pairs.ts';
import type { RewardOptions } from '../methods/reward/reward-options.ts';
import type { SftOptions } from '../methods/supervised/sft-options.ts';
import type { MeasuredRows, StageVerb } from './stage-verbs.ts';

/** A row packed alone in a pass. */
export interface MeasuredRow {
  packed: PackedBatch;
  /** Tokens whose log-probability is computed. */
  scored: number;
}

/** @typeParam Made rows of training, if they are derived from the file's rows */
export interface RowMeasure<Kind extends RowKind = RowKind, Made = RowOf[Kind]> {
  kind: Kind;
  /** The rows of training that a row of the file becomes (default: the row itself). */
  derive?(row: RowOf[Kind], options: TrainingOptions): Made[];
  /** null if the row does not fit --max-length. */
  measure(row: Made, tokenizer: Tokenizer, options: TrainingOptions): MeasuredRow | null;
  /** Optimizer steps on each batch of rows (default: 1). */
  stepsPerBatch?(options: TrainingOptions): number;
}

/** How the rows of a stage with these options are measured. */
export const rowMeasureOf = ({ rows }: StageVerb, options: TrainingOptions): RowMeasure =>
  rowMeasures[typeof rows === 'function' ? rows(options) : rows];

const measureOf = <Kind extends RowKind, Made = RowOf[Kind]>(
  one: RowMeasure<Kind, Made>,
): RowMeasure => one as unknown as RowMeasure;

function measurePair(
  row: PreferenceRow,
  tokenizer: Tokenizer,
  { maxLength }: TrainingOptions,
): MeasuredRow | null {
  const pair = tokenisePair(row, tokenizer, { maxLength });
  if (pair === null) return null;
  const { packed, scored } = packPairs([pair]);
  return { packed, scored: scored.rows.length };
}

export const rowMeasures: Readonly<Record<MeasuredRows, RowMeasure>> = {
  supervised: measureOf({
    kind: 'supervised',
    measure(row, tokenizer, options) {
      const { maxLength, ...rules } = options as SftOptions;
      const example = tokeniseExample(row, tokenizer, { ...defaultScoring, ...rules, maxLength });
      if (example === null) return null;
      const { packed, scored } = packExamples([example]);
      return { packed, scored: scored.rows.length };
    },
  }),
  judged: measureOf({
    kind: 'judged',
    measure(row, tokenizer, options) {
      const reading = { ...(options as RewardOptions), padTokenId: null };
      const judged = tokeniseJudged(row, tokenizer, reading);
      if (judged === null) return null;
      const { packed, best } = packJudged([judged]);
      return { packed, scored: reading.lmWeight > 0 ? best.rows.length : 0 };
    },
  }),
  preference: measureOf({
    kind: 'preference',
    derive: (row, options) => (isSure(row, options as DpoOptions) ? [row] : []),
    measure: measurePair,
  }),
  'ranking pairs': measureOf<'ranking', PreferenceRow>({
    kind: 'ranking',
    derive: (row, options) =>
      rankingPairs(row, (options as DpoOptions).rankingPairs!).filter((pair) =>
        isSure(pair, options as DpoOptions),
      ),
    measure: measurePair,
  }),
  rankings: measureOf({
    kind: 'judged',
    measure(row, tokenizer, { maxLength }) {
      const ranking = tokeniseRanking(row, tokenizer, { maxLength });
      if (ranking === null) return null;
      const { packed, scored } = packRankings([ranking]);
      return { packed, scored: scored.rows.length };
    },
  }),
  unpaired: measureOf({
    kind: 'unpaired',
    measure(row, tokenizer, { maxLength }) {
      const answer = tokeniseUnpaired(row, tokenizer, { maxLength });
      if (answer === null) return null;
      const { packed, scored } = packAnswers([answer]);
      return { packed, scored: scored.rows.length };
    },
  }),
  // Assumes answers of maximum length.
  prompt: measureOf({
    kind: 'prompt',
    measure(row, tokenizer, options) {
      const { maxLength, maxNewTokens, numGenerations } = options as OnlineOptions;
      const maxPromptLength = maxLength === null ? null : maxLength - maxNewTokens;
      const prompt = tokenisePrompt(row, tokenizer, { maxPromptLength });
      if (prompt === null) return null;
      const packer = new AnswerPacker();
      const answer = Array<number>(maxNewTokens).fill(0);
      for (let count = 0; count < numGenerations; count++) packer.add(prompt.tokens, answer);
      return { packed: packer.build(), scored: numGenerations * maxNewTokens };
    },
    stepsPerBatch: (options) => stepsPerRollout(options as OnlineOptions),
  }),
};
