import type { BestOfNResult } from '@keel/align';
import type { BestOfNProgress } from '@keel/align/config';
import {
  type BestOfK,
  type BestOfNSummary,
  formatCount,
  formatDuration,
  PlainPace,
  RateMeter,
  waitingText,
} from '@keel/align/internal';
import type { SingleBar } from 'cli-progress';
import type { BestOfNVerbOptions } from '../options/best-of-n.ts';
import { say } from '../terminal.ts';
import { printJson } from '../training/json-display.ts';
import { sayAbove, shareBar, terminalBar } from '../training/terminal-bar.ts';
import { cutOffLines, trainLines } from '../training/train-command.ts';

/** Shows the progress and the result of best-of-n sampling. */
export interface BestOfNDisplay {
  progress(progress: BestOfNProgress): void;
  /** The reward takes long. */
  waiting(seconds: number): void;
  say(text: string): void;
  close(): void;
  ended(result: BestOfNResult): void;
}

type Shown = Pick<BestOfNVerbOptions, 'json' | 'write' | 'numGenerations'>;

export const bestOfNDisplay = (options: Shown): BestOfNDisplay =>
  options.json ? jsonDisplay() : new HumanBestOfN(options);

/** One object every ten seconds, and one at the end. */
function jsonDisplay(): BestOfNDisplay {
  const pace = new PlainPace();
  return {
    progress({ answers, total, means }) {
      if (pace.due(answers)) printJson({ type: 'progress', answers, total, ...means });
    },
    waiting() {},
    say: (text) => printJson({ type: 'notice', text }),
    close() {},
    ended({ output, interrupted, done, rows, cutOff, summary }) {
      if (interrupted) printJson({ type: 'interrupted', prompts: done, output });
      else {
        const written = { output, rows, rows_cut_off: cutOff };
        printJson({ type: 'final', ...written, ...jsonSummary(summary!) });
      }
    },
  };
}

const jsonSummary = ({
  prompts,
  leftOut,
  badRows,
  answers,
  meanTokens,
  ended,
  ties,
  curve,
}: BestOfNSummary) => ({
  ...{ prompts, prompts_left_out: leftOut, bad_rows: badRows, answers },
  'completions/mean_length': meanTokens,
  eos_rate: ended,
  frac_reward_zero_std: ties,
  best_of: curve.map(({ k, reward, interval, kl }) => ({ k, reward, interval, kl_at_most: kl })),
});

class HumanBestOfN implements BestOfNDisplay {
  readonly #options: Shown;
  readonly #answers = new RateMeter();
  readonly #tokens = new RateMeter();
  readonly #pace = new PlainPace();
  readonly #bar: SingleBar | null;
  #now: BestOfNProgress | null = null;
  #waiting: number | null = null;
  readonly #waitingPace = new PlainPace();

  constructor(options: Shown) {
    this.#options = options;
    this.#bar = terminalBar(process.stdout, (columns, share) => {
      return this.#line(shareBar(share)).slice(0, columns);
    });
  }

  waiting(seconds: number): void {
    this.#waiting = seconds;
    if (this.#bar?.isActive) this.#bar.render();
    else if (seconds >= 10 && this.#waitingPace.due(0)) this.say(waitingText(seconds));
  }

  progress(progress: BestOfNProgress): void {
    const before = this.#now;
    this.#waiting = null;
    this.#now = progress;
    if (before === null) {
      this.#bar?.start(progress.total, progress.answers);
      this.#answers.resume();
      this.#tokens.resume();
      return;
    }
    // At the end of a chunk, answers in progress become finished ones, and the count may not rise.
    this.#answers.add(Math.max(0, progress.answers - before.answers));
    this.#tokens.add(progress.tokens - before.tokens);
    if (this.#bar !== null) this.#bar.update(progress.answers);
    else if (this.#pace.due(progress.answers)) say(this.#line(''));
  }

  say(text: string): void {
    sayAbove(this.#bar, process.stdout, text);
  }

  close(): void {
    this.#bar?.stop();
  }

  ended({ output, interrupted, done, rows, cutOff, summary }: BestOfNResult): void {
    if (interrupted) {
      say(`\nStopped after ${done} prompts. Run the same command again to resume.`);
      return;
    }
    const { prompts, leftOut, badRows, firstFault, answers, meanTokens, ended, ties, curve } =
      summary!;
    if (leftOut > 0) {
      say(`Prompts skipped because they leave no room for --max-new-tokens: ${leftOut}`);
    }
    if (badRows > 0) console.log(`Bad rows skipped: ${badRows}. First: ${firstFault}`);
    const missing = prompts - rows;
    if (missing > 0)
      say(`Prompts without a row, because ${reasons[this.#options.write]}: ${missing}`);
    if (prompts > 0) {
      say(
        `\n${answers} answers to ${prompts} prompts: ${meanTokens.toFixed(0)} tokens on average, ${percent(ended)} finished` +
          `${ties > 0 ? `; ${percent(ties)} of the prompts have answers that all score the same` : ''}`,
      );
      say(table(curve));
    }
    say(`\n${rows} rows: ${output}`);
    const [what, verb] = use[this.#options.write];
    const written = { rows, cutOff };
    for (const line of cutOffLines(written)) say(line);
    for (const line of trainLines(what, verb, output, written)) say(line);
  }

  #line(bar: string): string {
    const { answers, total, means } = this.#now!;
    const parts = [`${bar}${answers}/${total} answers`];
    if (this.#waiting !== null) parts.push(waitingText(this.#waiting));
    if (means !== null) {
      parts.push(
        `reward ${means.mean.toFixed(3)}`,
        `best of ${this.#options.numGenerations} ${means.best.toFixed(3)}`,
      );
    }
    const left = this.#answers.secondsFor(total - answers);
    if (left !== null) parts.push(`${formatDuration(left)} left`);
    if (this.#tokens.rate !== null) parts.push(`${formatCount(this.#tokens.rate)} tokens/s`);
    return parts.join('  ');
  }
}

const reasons = {
  best: 'all their answers are empty',
  all: 'fewer than two of their answers are not empty',
  pairs: 'no answer is better than another',
};

const use = {
  best: ['Train on them:', 'sft'],
  all: ['Train a reward model on them:', 'reward'],
  pairs: ['Align a model with them:', 'dpo'],
} as const;

const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;

/** Every k up to 16; for larger n, the powers of two and n itself. */
function table(curve: readonly BestOfK[]): string {
  const shown = curve.filter(
    ({ k }) => curve.length <= 16 || (k & (k - 1)) === 0 || k === curve.length,
  );
  const lines = shown.map(({ k, reward, interval, kl }) => {
    const [low, high] = interval.map((one) => one.toFixed(3));
    return cells([String(k), reward.toFixed(3), `${low} to ${high}`, kl.toFixed(3)]);
  });
  return [cells(['best of', 'reward', '95% interval', 'KL at most']), ...lines].join('\n');
}

const cells = (texts: readonly string[]): string =>
  texts.map((text, column) => text.padStart(column === 2 ? 20 : 11)).join('');
