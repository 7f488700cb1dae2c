// Warnings about rows that their author should read before training.
import type { OverlapFacts } from './duplicates.ts';
import type { ExaminedFacts, RowFindings } from './examine-rows.ts';
import type { PairFacts } from './pair-lengths.ts';
import type { RepeatedRow, Repeats } from './repeats.ts';

/** A problem that does not stop training, but is probably not intended. */
export interface DataWarning {
  code: WarningCode;
  text: string;
}

export type WarningCode =
  | 'held-out-rows'
  | 'held-out-prompts'
  | 'contradictions'
  | 'duplicates'
  | 'length-rule'
  | 'labels'
  | 'blank-answers'
  | 'opposite-scores'
  | 'plain-rows'
  | 'lost-text'
  | 'no-end-token'
  | 'cut'
  | 'too-long'
  | 'other';

/** Below this share of duplicates, a data set is unremarkable. */
const FEW_DUPLICATES = 0.01;
/** A rule that sees only lengths is right by chance in half of the pairs. */
const LENGTH_BIAS = 0.6;
/** Labels in a more uneven ratio should be weighted (Ethayarajh et al. 2024, section 4.2). */
const MOST_IMBALANCE = 4;

export function dataWarnings(findings: RowFindings): DataWarning[] {
  const { training, heldOut, duplicates, pairs, overlap } = findings;
  const { rows, contradictions } = duplicates;
  const found: DataWarning[] = overlap === null ? [] : overlapWarnings(overlap, heldOut!);
  if (contradictions.count > 0) {
    found.push({
      code: 'contradictions',
      text: `${counted(contradictions.count, 'row')} ${contradictions.count === 1 ? 'contradicts' : 'contradict'} an earlier row: the same prompt and ${
        pairs === null ? 'answer with the other label' : 'answers in the opposite order'
      } (${first(contradictions)}). Remove one of the two`,
    });
  }
  if (rows.count > FEW_DUPLICATES * training.count) {
    found.push({
      code: 'duplicates',
      text: `${shareOf(rows.count, training.count)} repeat an earlier row (${first(rows)}), so they count several times. Remove them if this is not intended`,
    });
  }
  const biased = pairs === null ? null : lengthWarning(pairs);
  if (biased !== null) found.push(biased);
  const { labels, blankAnswers, oppositeScores } = training;
  if (labels !== null && training.kinds.some(({ kind }) => kind === 'unpaired')) {
    const [few, many] = [Math.min(labels.good, labels.bad), Math.max(labels.good, labels.bad)];
    if (few > 0 && many > MOST_IMBALANCE * few) {
      const rare = labels.good < labels.bad ? '--desirable-weight' : '--undesirable-weight';
      found.push({
        code: 'labels',
        text: `${labels.good} labels are true and ${labels.bad} are false. Raise ${rare} to about ${(many / few).toFixed(1)}, so that both count equally`,
      });
    }
  }
  if (blankAnswers > 0) {
    found.push({
      code: 'blank-answers',
      text: `${counted(blankAnswers, 'answer')} ${blankAnswers === 1 ? 'is' : 'are'} only white space, so the model learns to answer with nothing. Remove such rows`,
    });
  }
  if (oppositeScores > 0) {
    found.push({
      code: 'opposite-scores',
      text: `${shareOf(oppositeScores, training.count)} ${oppositeScores === 1 ? 'has' : 'have'} a score_chosen below score_rejected, and the answer under "chosen" is preferred nevertheless. Swap the answers, or remove such rows`,
    });
  }
  return found;
}

function overlapWarnings({ rows, prompts, near }: OverlapFacts, { count }: ExaminedFacts) {
  const found: DataWarning[] = [];
  const advice = 'Held-out metrics will look too good. Remove these rows from one of the two files';
  if (rows.count > 0) {
    found.push({
      code: 'held-out-rows',
      text: `${shareOf(rows.count, count, 'held-out row')} are training rows too (${first(rows)}). ${advice}`,
    });
  }
  const others = prompts.count + near.count;
  if (others > 0) {
    const parts = [
      prompts.count > 0 && `${prompts.count} have the prompt of a training row`,
      near.count > 0 && `${near.count} have nearly the prompt of one`,
    ].filter((part) => part !== false);
    const example = prompts.count > 0 ? prompts : near;
    found.push({
      code: 'held-out-prompts',
      text: `of ${counted(count, 'held-out row')}, ${parts.join(' and ')} (${first(example)}). ${advice}`,
    });
  }
  return found;
}

/** A warning if the lower limit of the interval shows that lengths predict the chosen answer. */
function lengthWarning({ lengthRule, longerWins }: PairFacts): DataWarning | null {
  const [low, high] = longerWins.interval;
  const { prefers, accuracy } = lengthRule;
  if ((prefers === 'longer' ? low : 1 - high) <= LENGTH_BIAS) return null;
  return {
    code: 'length-rule',
    text: `a rule that always prefers the ${prefers} answer is right in ${percent(accuracy)} of the pairs, so the model may learn length instead of quality. Balance the lengths, or train with a loss that divides by length, such as keel dpo --loss simpo`,
  };
}

/** `row 7 repeats row 3`, by their places. */
const first = ({ examples: [example] }: Repeats): string =>
  example === undefined ? '' : `first: ${pairOf(example)}`;

/** `pairs.jsonl:7 and 3`, or both complete places if they are in different files. */
export function pairOf({ row, earlier }: RepeatedRow): string {
  const number = earlier.search(/\d+$/);
  const sameFile = number > 0 && row.replace(/\d+$/, '') === earlier.slice(0, number);
  return `${row} and ${sameFile ? earlier.slice(number) : earlier}`;
}

export const counted = (count: number, name: string): string =>
  `${count} ${count === 1 ? name : `${name}s`}`;

const shareOf = (part: number, whole: number, name = 'row'): string =>
  `${part} of ${counted(whole, name)}`;

export const percent = (share: number): string => {
  const shown = 100 * share;
  return `${shown > 0 && shown < 10 ? shown.toFixed(1) : shown.toFixed(0)}%`;
};
