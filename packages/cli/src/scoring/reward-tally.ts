import { likelier } from '@keel/align/data';
import { type Attempts, exactJson, hitOf, meanPassAtK, proportionOf } from '@keel/align/internal';
import { type RewardOutcome, RunningMoments } from '@keel/align/rewards';
import type { JudgedRow } from './reward-rows.ts';
import { between } from './score-tally.ts';

/** Values of k in the summary, up to the number of samples. */
const SHOWN_K = [1, 2, 5, 10, 20, 50, 100];

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** Collects the summary of all rows. */
export class RewardTally {
  readonly #scores = new RunningMoments();
  readonly #aspects = new Map<string, RunningMoments>();
  readonly #values: number[] = [];
  readonly #margins: number[] = [];
  readonly #hits: number[] = [];
  readonly #problems = new Map<string, Attempts>();
  #unscored = 0;

  add({ inputs, ranks, probability }: JudgedRow, outcomes: readonly RewardOutcome[]): void {
    outcomes.forEach(({ score, aspects = {} }, index) => {
      if (score === null) this.#unscored += 1;
      else {
        this.#scores.add(score);
        this.#values.push(score);
      }
      for (const [name, value] of Object.entries(aspects)) {
        const moments = this.#aspects.get(name) ?? new RunningMoments();
        moments.add(value);
        this.#aspects.set(name, moments);
        if (name === 'passed' || name.endsWith('.passed')) {
          this.#attempt(exactJson([name, inputs[index]!.prompt]), value === 1);
        }
      }
    });
    if (ranks !== null) this.#compare(ranks, outcomes);
    // Neither answer is the better one, so any reward is half right.
    const isEven = probability !== undefined && likelier(probability) === 0;
    if (isEven && outcomes.every(({ score }) => score !== null)) this.#hits.push(0.5);
  }

  lines(): string[] {
    const { count, mean, standardDeviation } = this.#scores;
    const lines: string[] = [];
    if (count > 0) {
      lines.push(
        `reward of ${count} answers: ${spread(mean, standardDeviation)}, ${between(this.#values)}`,
      );
    }
    if (this.#unscored > 0) lines.push(`${this.#unscored} answers have no reward`);
    for (const [name, moments] of this.#aspects) {
      lines.push(`  ${name}: ${spread(moments.mean, moments.standardDeviation)}`);
    }
    const accuracy = proportionOf(this.#hits);
    if (accuracy !== null) {
      const { value, interval } = accuracy;
      lines.push(
        `The better answer has the higher reward in ${percent(value)} of ${accuracy.count} pairs` +
          ` (95% interval ${percent(interval[0])} to ${percent(interval[1])}; equal rewards count half)`,
      );
    }
    if (this.#margins.length > 0) {
      const margin = this.#margins.reduce((sum, one) => sum + one, 0) / this.#margins.length;
      lines.push(
        `The better answer's reward is higher by ${margin.toFixed(3)} on average, ${between(this.#margins)}`,
      );
    }
    return [...lines, ...this.#passLines()];
  }

  /** Compares every two answers with different ranks. */
  #compare(ranks: readonly number[], outcomes: readonly RewardOutcome[]): void {
    for (let one = 0; one < ranks.length; one++) {
      for (let other = 0; other < ranks.length; other++) {
        if (ranks[one]! >= ranks[other]!) continue;
        const [better, worse] = [outcomes[one]!.score, outcomes[other]!.score];
        if (better === null || worse === null) continue;
        this.#margins.push(better - worse);
        this.#hits.push(hitOf(better - worse));
      }
    }
  }

  #attempt(problem: string, passed: boolean): void {
    const attempts = this.#problems.get(problem) ?? { samples: 0, passed: 0 };
    attempts.samples += 1;
    if (passed) attempts.passed += 1;
    this.#problems.set(problem, attempts);
  }

  #passLines(): string[] {
    const problems = [...this.#problems.values()];
    const fewest = Math.min(...problems.map(({ samples }) => samples));
    if (problems.every(({ samples }) => samples < 2)) return [];
    return SHOWN_K.filter((k) => k <= fewest).map((k) => {
      const { value, interval } = meanPassAtK(problems, k);
      return `pass@${k} of ${problems.length} problems: ${percent(value)} (95% interval ${percent(interval[0])} to ${percent(interval[1])})`;
    });
  }
}

const spread = (mean: number, deviation: number): string =>
  `mean ${mean.toFixed(3)}, standard deviation ${deviation.toFixed(3)}`;
