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

/** Where a label comes from. */
type Source = 'judge' | 'people';

/**
 * A preference row with the more probable answer as the chosen one.
 * @param probability that the first answer is better
 */
export function labelledRow(
  { row, prompt, rendering, extra, answers }: LabelPair,
  probability: number,
  { source, judge }: { source: Source; judge: PairLabel | null },
): object {
  const [a, b] = answers.map(asRead) as [Content, Content];
  const first = probability >= 0.5;
  return {
    ...extra,
    ...(source === 'judge' && { row }),
    prompt: asRead(prompt),
    ...renderingColumns(rendering),
    ...{ chosen: first ? a : b, rejected: first ? b : a },
    label_probability: first ? probability : 1 - probability,
    labelled_by: source,
    ...(judge?.probability != null && {
      judge_probability: first ? judge.probability : 1 - judge.probability,
      principles: Object.fromEntries(
        Object.entries(judge.principles).map(([id, one]) => [id, first ? one : 1 - one]),
      ),
    }),
  };
}

/** Counts labels as they are read. */
export class LabelTally {
  readonly #failed: Record<string, number> = {};
  readonly #agree: number[] = [];
  readonly #certain: number[] = [];
  readonly #longer: number[] = [];
  readonly #given: number[] = [];
  readonly #human: number[] = [];
  #pairs = 0;
  #unlabelled = 0;

  /** @param human people's probability of the first answer; null if they did not label the pair */
  add(pair: LabelPair, label: PairLabel, human: number | null): void {
    this.#pairs += 1;
    for (const [why, count] of Object.entries(label.failed)) {
      this.#failed[why] = (this.#failed[why] ?? 0) + count;
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
    if (a !== b) this.#longer.push(hitOf(lead * (a - b)));
    if (pair.given !== null && pair.given !== 0.5) {
      this.#given.push(hitOf(lead * (pair.given - 0.5)));
    }
    if (human !== null && human !== 0.5) this.#human.push(hitOf(lead * (human - 0.5)));
  }

  summary(written: { rows: number; single: number; humanOnly: number }): LabelSummary {
    const share = (hits: readonly number[]): Proportion | null => proportionOf(hits);
    const certain = this.#certain;
    return {
      ...{ pairs: this.#pairs, unlabelled: this.#unlabelled, failed: this.#failed, ...written },
      ordersAgree: share(this.#agree),
      certainty:
        certain.length === 0 ? null : certain.reduce((sum, one) => sum + one, 0) / certain.length,
      longer: share(this.#longer),
      given: share(this.#given),
      human: share(this.#human),
    };
  }
}
