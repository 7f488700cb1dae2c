import { likelier } from '@keel/align/data';
import { bootstrapMeanInterval, hitOf, proportionOf } from '@keel/align/internal';
import type { AnswerScore } from './score-answers.ts';

/** One number of each row, by its name in the output. */
export type Measures = Record<string, number[]>;

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The interval of a mean, in words. */
export function between(values: readonly number[]): string {
  const [low, high] = bootstrapMeanInterval(values);
  return `95% interval ${low.toFixed(3)} to ${high.toFixed(3)}`;
}

/** Collects the numbers of all rows under one model. */
export class ScoreTally {
  readonly measures: Measures = {};
  /** Whether a pair has a probability. */
  #soft = false;

  /** @param probability of a pair, that chosen is the better answer (default: 1) */
  add([first, second]: readonly AnswerScore[], probability?: number): void {
    if (probability !== undefined) this.#soft = true;
    const found: Record<string, number> =
      second === undefined
        ? { logp: first!.logp, logp_per_token: first!.logp / first!.tokens }
        : {
            logp_chosen: first!.logp,
            logp_rejected: second.logp,
            margin: first!.logp - second.logp,
            accuracy: hitOf((first!.logp - second.logp) * likelier(probability)),
          };
    for (const [name, value] of Object.entries(found)) {
      this.measures[name] ??= [];
      this.measures[name].push(value);
    }
  }

  /** The summary, in sentences. */
  lines(): string[] {
    const { margin, accuracy, logp_per_token: perToken } = this.measures;
    if (perToken !== undefined) {
      return [
        `log-probability per token: mean ${meanOf(perToken).toFixed(3)}, ${between(perToken)}`,
      ];
    }
    if (margin === undefined || accuracy === undefined) return [];
    const right = accuracy.reduce((sum, hit) => sum + hit, 0);
    const { value, count, interval } = proportionOf(accuracy)!;
    return [
      `The ${this.#soft ? 'more probably better' : 'chosen'} answer is more likely in ${right} of ${count} rows: ${percent(value)} ` +
        `(95% interval ${percent(interval[0])} to ${percent(interval[1])}; ties count half)`,
      `margin: mean ${meanOf(margin).toFixed(3)}, ${between(margin)}`,
    ];
  }
}
