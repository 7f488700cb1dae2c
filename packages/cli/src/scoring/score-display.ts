import { say, sayJson } from '../terminal.ts';
import type { AnswerScore } from './score-answers.ts';
import { ScoreTally } from './score-tally.ts';

/** Shows rows' scores as they are computed. */
export interface ScoreDisplay {
  /**
   * @param scores null if the row's prompt alone fills the maximum length
   * @param probability of a pair, that chosen is the better answer (default: 1)
   */
  row(row: number, scores: readonly AnswerScore[] | null, probability?: number): void;
  end(): void;
}

/** One JSON object per row. */
export const jsonScores = (pairs: boolean): ScoreDisplay => ({
  row(row, scores, probability) {
    sayJson(scoreFields(pairs, row, scores ?? [], probability));
  },
  end() {},
});

/** A row's scores as --json prints them. */
export function scoreFields(
  pairs: boolean,
  row: number,
  [first, second]: readonly AnswerScore[],
  probability?: number,
): object {
  return pairs
    ? {
        row,
        logp_chosen: first?.logp ?? null,
        logp_rejected: second?.logp ?? null,
        tokens_chosen: first?.tokens ?? 0,
        tokens_rejected: second?.tokens ?? 0,
        ...(probability !== undefined && { label_probability: probability }),
      }
    : { row, logp: first?.logp ?? null, tokens: first?.tokens ?? 0 };
}

const SHOWN_ROWS = 20;

const pairNames = [
  ...['row', 'logp chosen', 'logp rejected', 'margin'],
  ...['tokens chosen', 'tokens rejected'],
];
const completionNames = ['row', 'logp', 'tokens', 'logp per token'];

/** A table of the first rows, then the means. */
export class ScoreTable implements ScoreDisplay {
  readonly #pairs: boolean;
  readonly #tally = new ScoreTally();
  readonly #sums = new Map<string, number>();
  #scored = 0;
  #shown = 0;
  #skipped = 0;

  constructor(pairs: boolean) {
    this.#pairs = pairs;
  }

  row(row: number, scores: readonly AnswerScore[] | null, probability?: number): void {
    if (scores === null) {
      this.#skipped += 1;
      return;
    }
    const columns = this.#pairs ? pairColumns(scores) : completionColumns(scores);
    this.#tally.add(scores, probability);
    for (const [name, value] of Object.entries(columns)) {
      this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
    }
    this.#scored += 1;
    if (this.#shown === SHOWN_ROWS) return;
    // Not before the first score, since an error may come instead of it.
    if (this.#shown === 0) say(line(this.#pairs ? pairNames : completionNames));
    this.#shown += 1;
    const cells = Object.entries(columns).map(([name, value]) => cell(name, value));
    say(line([String(row), ...cells]));
  }

  end(): void {
    if (this.#scored > this.#shown) say(`… and ${this.#scored - this.#shown} more rows`);
    if (this.#skipped > 0) {
      say(`${this.#skipped} rows skipped: the prompt alone fills --max-length`);
    }
    if (this.#scored === 0) return;
    const means = [...this.#sums].map(([name, sum]) => [name, sum / this.#scored] as const);
    say(line(['mean', ...means.map(([, value]) => value.toFixed(3))]));
    say('');
    for (const text of this.#tally.lines()) say(text);
  }
}

function pairColumns([chosen, rejected]: readonly AnswerScore[]): Record<string, number> {
  return {
    chosen: chosen!.logp,
    rejected: rejected!.logp,
    margin: chosen!.logp - rejected!.logp,
    'tokens chosen': chosen!.tokens,
    'tokens rejected': rejected!.tokens,
  };
}

function completionColumns([only]: readonly AnswerScore[]): Record<string, number> {
  const { logp, tokens } = only!;
  return { logp, tokens, each: logp / tokens };
}

const cell = (name: string, value: number): string =>
  name.startsWith('tokens') ? String(value) : value.toFixed(3);

const line = (cells: readonly string[]): string =>
  cells.map((text, column) => text.padStart(column === 0 ? 6 : 17)).join('');
