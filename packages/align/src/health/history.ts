// The part of a run's history that the checks use: the first and the latest values of each number,
// and the answers before training and now.
import type { HealthAnswer, HealthRow } from './finding.ts';
import { median } from './numbers.ts';

const FIRST = 10;
const LATEST = 20;

interface Course {
  first: number[];
  latest: number[];
  count: number;
}

export class RunHistory {
  readonly #courses = new Map<string, Course>();
  /** Optimizer steps that have finished. */
  step = 0;
  /** Greedy answers before training, and the latest ones to the same prompts. */
  answers: { before: readonly HealthAnswer[]; now: readonly HealthAnswer[] | null } | null = null;

  add(row: HealthRow): void {
    this.step = Math.max(this.step, row.step);
    for (const [name, value] of Object.entries(row)) {
      if (name === 'step') continue;
      const course = this.#courses.get(name) ?? { first: [], latest: [], count: 0 };
      if (course.first.length < FIRST) course.first.push(value);
      course.latest.push(value);
      if (course.latest.length > LATEST) course.latest.shift();
      course.count += 1;
      this.#courses.set(name, course);
    }
  }

  addAnswers(step: number, answers: readonly HealthAnswer[]): void {
    this.step = Math.max(this.step, step);
    if (this.answers === null) this.answers = { before: answers, now: null };
    else this.answers.now = answers;
  }

  /** Names that start with a prefix, and what follows it. */
  namesFrom(prefix: string): { name: string; rest: string }[] {
    return [...this.#courses.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => ({ name, rest: name.slice(prefix.length) }));
  }

  /** How many values of this name there were. */
  count(name: string): number {
    return this.#courses.get(name)?.count ?? 0;
  }

  /** The first values, at most 10. */
  first(name: string): readonly number[] {
    return this.#courses.get(name)?.first ?? [];
  }

  /** The latest values, oldest first, at most 20. */
  latest(name: string, most = LATEST): readonly number[] {
    return this.#courses.get(name)?.latest.slice(-most) ?? [];
  }

  /**
   * A number at the start of the run and now. Held-out rows are the same at both times, so one
   * evaluation is enough. Training rows differ, so the start is the first step, before any update,
   * and now is the median of the latest steps.
   * @returns null if there are too few values
   */
  change(name: string, on: 'held-out' | 'training'): { start: number; now: number } | null {
    if (on === 'held-out') {
      const heldOut = `eval_${name}`;
      if (this.count(heldOut) < 2) return null;
      return { start: this.first(heldOut)[0]!, now: this.latest(heldOut, 1)[0]! };
    }
    if (this.count(name) <= STEPS) return null;
    return { start: this.first(name)[0]!, now: median(this.latest(name, STEPS)) };
  }

  /**
   * A number of single steps, at the start and now, each as the median of five: for numbers that
   * vary from step to step before any update too.
   * @returns null with fewer than ten steps
   */
  medians(name: string): { start: number; now: number } | null {
    if (this.count(name) < 2 * STEPS) return null;
    return {
      start: median(this.first(name).slice(0, STEPS)),
      now: median(this.latest(name, STEPS)),
    };
  }
}

/** Steps whose median is the value at a point of training. */
const STEPS = 5;

/** The rows that a number can be measured on; the better comparison comes first. */
export const rowsOf = ['held-out', 'training'] as const;
