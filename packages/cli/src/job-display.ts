// Shows a job that answers or labels row by row: its progress and its result.
import { formatDuration, PlainPace, RateMeter } from '@keel/align/internal';
import type { SingleBar } from 'cli-progress';
import { say } from './terminal.ts';
import { printJson } from './training/json-display.ts';
import { alignedLines, snakeKeys } from './training/run-plan-text.ts';
import { sayAbove, shareBar, terminalBar } from './training/terminal-bar.ts';

/** How far a job is. */
export interface JobProgress {
  /** Finished rows, including those of earlier calls. */
  done: number;
  total: number;
  /** The work that is done on rows in progress, in rows (default: 0). */
  current?: number;
}

export interface JobResult<Summary> {
  output: string;
  interrupted: boolean;
  done: number;
  /** null if it was interrupted. */
  summary: Summary | null;
}

/** What differs between jobs. */
export interface JobWords<Result> {
  /** What is counted: `pairs`. */
  unit: string;
  /** A finished job's numbers. */
  lines(result: Result): [label: string, value: string][];
  /** What is said after them. */
  advice(result: Result): readonly string[];
}

export interface JobDisplay<Result> {
  progress(progress: JobProgress): void;
  say(text: string): void;
  close(): void;
  ended(result: Result): void;
}

export const jobDisplay = <Result extends JobResult<object>>(
  json: boolean,
  words: JobWords<Result>,
): JobDisplay<Result> => (json ? jsonDisplay(words) : new HumanJob(words));

/** One object every ten seconds, and one at the end. */
function jsonDisplay<Result extends JobResult<object>>({
  unit,
}: JobWords<Result>): JobDisplay<Result> {
  const pace = new PlainPace();
  return {
    progress({ done, total }) {
      if (pace.due(done)) printJson({ type: 'progress', [unit]: done, total });
    },
    say: (text) => printJson({ type: 'notice', text }),
    close() {},
    ended({ output, interrupted, done, summary }) {
      if (interrupted) printJson({ type: 'interrupted', [unit]: done, output });
      else printJson({ type: 'final', output, ...(snakeKeys(summary!) as object) });
    },
  };
}

class HumanJob<Result extends JobResult<object>> implements JobDisplay<Result> {
  readonly #words: JobWords<Result>;
  readonly #rate = new RateMeter();
  readonly #pace = new PlainPace();
  readonly #bar: SingleBar | null;
  #now: Required<JobProgress> | null = null;

  constructor(words: JobWords<Result>) {
    this.#words = words;
    this.#bar = terminalBar(process.stdout, (columns, share) => {
      return this.#line(shareBar(share)).slice(0, columns);
    });
  }

  progress({ done, total, current = 0 }: JobProgress): void {
    const before = this.#now;
    this.#now = { done, total, current };
    if (before === null) {
      this.#bar?.start(total, done);
      this.#rate.resume();
      return;
    }
    const work = done + current;
    // Work that was not needed is done when its row ends.
    this.#rate.add(Math.max(0, work - before.done - before.current));
    if (this.#bar !== null) this.#bar.update(work);
    else if (this.#pace.due(work)) say(this.#line(''));
  }

  say(text: string): void {
    sayAbove(this.#bar, process.stdout, text);
  }

  close(): void {
    this.#bar?.stop();
  }

  ended(result: Result): void {
    const { unit, lines, advice } = this.#words;
    if (result.interrupted) {
      say(`\nStopped after ${result.done} ${unit}. Run the same command again to resume.`);
      return;
    }
    say(`\n${alignedLines(lines(result))}`);
    for (const text of advice(result)) say(text);
  }

  #line(bar: string): string {
    const { done, total, current } = this.#now!;
    const now = current > 0 ? `, ${current.toFixed(1)} more in progress` : '';
    const left = this.#rate.secondsFor(total - done - current);
    const time = left === null ? '' : `  ${formatDuration(left)} left`;
    return `${bar}${done}/${total} ${this.#words.unit}${now}${time}`;
  }
}
