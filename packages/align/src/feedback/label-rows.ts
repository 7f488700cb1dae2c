// Rows with labels, and what is counted of them.
import { hitOf, type Proportion, proportionOf } from '@keel/statistics';
import { asRead, type Content, contentText } from '../data/messages.ts';
import { renderingColumns } from '../data/rendering.ts';
import type { LabelSummary } from './label-options.ts';
import type { PairLabel } from './label-pair.ts';
import type { LabelPair } from './read-label-pairs.ts';

/** A pair with what the judge said about it: a line of the journal. */
export interface LabelLine extends PairLabel {
  row: number;
}

/** What a judge's ratings of the answers to a prompt are: a line of the journal. */
export interface RatingLine {
  row: number;
  /** One per answer; null for an answer that the judge did not rate. */
  ratings: (number | null)[];
  /** Ratings that the judge did not give, by reason. */
  failed: Record<string, number>;
}

/** What became of a line: the pair that it labels, or why there is none. */
export type Labelled =
  | { pair: LabelPair; label: PairLabel; ratings?: readonly [first: number, second: number] }
  | { pair: null; why: 'unlabelled' | 'tied'; failed: Record<string, number> };

/** Where a label comes from. */
type Source = 'judge' | 'people';

/**
 * A preference row with the more probable answer as the chosen one.
 * @param probability that the first answer is better
 */
export function labelledRow(
  { row, prompt, rendering, extra, answers, given, reasons }: LabelPair,
  probability: number,
  {
    source,
    judge,
    ratings,
  }: {
    source: Source;
    judge: PairLabel | null;
    /** Of both answers, from a judge that rates. */
    ratings?: readonly [number, number] | undefined;
  },
): object {
  const [a, b] = answers.map(asRead) as [Content, Content];
  const first = probability >= 0.5;
  return {
    ...(first || given === null ? extra : swapped(extra)),
    ...(source === 'judge' && { row }),
    prompt: asRead(prompt),
    ...renderingColumns(rendering),
    ...{ chosen: first ? a : b, rejected: first ? b : a },
    ...(reasons && finishOf(first ? reasons : [reasons[1], reasons[0]])),
    label_probability: first ? probability : 1 - probability,
    labelled_by: source,
    ...(ratings && scoresOf(first ? ratings : [ratings[1], ratings[0]])),
    ...(ratings === undefined &&
      judge?.probability != null && {
        judge_probability: first ? judge.probability : 1 - judge.probability,
        principles: Object.fromEntries(
          Object.entries(judge.principles).map(([id, one]) => [id, first ? one : 1 - one]),
        ),
      }),
  };
}

/** The columns of a pair whose answers change places: each goes with its answer. */
const swapped = (extra: LabelPair['extra']): LabelPair['extra'] =>
  Object.fromEntries(
    Object.entries(extra).map(([name, value]) => {
      const [, side, rest] = /^(chosen|rejected)(_.+)$/s.exec(name) ?? [];
      return [
        side === undefined ? name : `${side === 'chosen' ? 'rejected' : 'chosen'}${rest}`,
        value,
      ];
    }),
  );

/** Why both answers ended, as far as it is known. */
const finishOf = ([chosen, rejected]: readonly [unknown, unknown]): object => ({
  ...(chosen !== undefined && { chosen_finish_reason: chosen }),
  ...(rejected !== undefined && { rejected_finish_reason: rejected }),
});

/** Whether training refuses a labelled row, because one of its answers was cut off. */
export const isCutPair = (row: object): boolean =>
  ['chosen_finish_reason', 'rejected_finish_reason'].some(
    (name) => (row as Record<string, unknown>)[name] === 'length',
  );

/** None if people prefer the answer with the lower rating: training reads them as a margin. */
const scoresOf = ([chosen, rejected]: readonly [number, number]): object =>
  chosen < rejected ? {} : { score_chosen: chosen, score_rejected: rejected };

/** Counts labels as they are read. */
export class LabelTally {
  readonly #failed: Record<string, number> = {};
  readonly #agree: number[] = [];
  readonly #certain: number[] = [];
  readonly #longer: number[] = [];
  readonly #given: number[] = [];
  readonly #human: number[] = [];
  readonly #lengths: { chosen: number[]; rejected: number[] } = { chosen: [], rejected: [] };
  readonly #ratings: Record<'all' | 'chosen' | 'rejected', number[]> = {
    ...{ all: [], chosen: [], rejected: [] },
  };
  #pairs = 0;
  #unlabelled = 0;
  #tied = 0;

  /** @param human people's probability of the first answer; null if they did not label the pair */
  add(
    { pair, label, ratings }: Extract<Labelled, { pair: LabelPair }>,
    human: number | null,
  ): void {
    this.#pairs += 1;
    this.#fail(label.failed);
    if (ratings !== undefined) {
      this.#ratings.chosen.push(Math.max(...ratings));
      this.#ratings.rejected.push(Math.min(...ratings));
    }
    for (let at = 0; at < label.compared; at++) {
      this.#agree.push(at < label.disagreements ? 0 : 1);
    }
    const { probability } = label;
    if (probability === null) {
      this.#unlabelled += 1;
      return;
    }
    this.#certain.push(Math.abs(2 * probability - 1));
    const lead = probability - 0.5;
    const [a, b] = pair.answers.map((answer) => contentText(answer).length) as [number, number];
    this.#lengths.chosen.push(lead >= 0 ? a : b);
    this.#lengths.rejected.push(lead >= 0 ? b : a);
    if (a !== b) this.#longer.push(hitOf(lead * (a - b)));
    if (pair.given !== null && pair.given !== 0.5) {
      this.#given.push(hitOf(lead * (pair.given - 0.5)));
    }
    if (human !== null && human !== 0.5) this.#human.push(hitOf(lead * (human - 0.5)));
  }

  /** A prompt of which no pair was made. */
  addWithout({ why, failed }: Extract<Labelled, { pair: null }>): void {
    this.#fail(failed);
    if (why === 'tied') this.#tied += 1;
    else this.#unlabelled += 1;
  }

  /** Ratings of all answers to a prompt. */
  addRatings(ratings: readonly (number | null)[]): void {
    this.#ratings.all.push(...ratings.filter((one) => one !== null));
  }

  #fail(failed: Record<string, number>): void {
    for (const [why, count] of Object.entries(failed)) {
      this.#failed[why] = (this.#failed[why] ?? 0) + count;
    }
  }

  summary(written: Pick<LabelSummary, 'rows' | 'cutOff' | 'single' | 'humanOnly'>): LabelSummary {
    const share = (hits: readonly number[]): Proportion | null => proportionOf(hits);
    const { all, chosen, rejected } = this.#ratings;
    const lengths = this.#lengths;
    return {
      ...{ pairs: this.#pairs, unlabelled: this.#unlabelled, tied: this.#tied },
      ...{ failed: this.#failed, ...written },
      ordersAgree: share(this.#agree),
      certainty: meanOf(this.#certain),
      longer: share(this.#longer),
      given: share(this.#given),
      human: share(this.#human),
      ratings:
        all.length === 0
          ? null
          : { all: meanOf(all)!, chosen: meanOf(chosen), rejected: meanOf(rejected) },
      length:
        lengths.chosen.length === 0
          ? null
          : { chosen: meanOf(lengths.chosen)!, rejected: meanOf(lengths.rejected)! },
    };
  }
}

const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length;
