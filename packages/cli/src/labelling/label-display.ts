import type { LabelProgress, LabelResult, LabelSummary } from '@keel/align';
import { formatDuration, PlainPace, RateMeter } from '@keel/align/internal';
import type { SingleBar } from 'cli-progress';
import { shellWord } from '../shell-word.ts';
import { say } from '../terminal.ts';
import { printJson } from '../training/json-display.ts';
import { alignedLines, snakeKeys } from '../training/run-plan-text.ts';
import { sayAbove, shareBar, terminalBar } from '../training/terminal-bar.ts';

/** Shows the progress and the result of labelling. */
export interface LabelDisplay {
  progress(progress: LabelProgress): void;
  say(text: string): void;
  close(): void;
  ended(result: LabelResult): void;
}

export const labelDisplay = (json: boolean): LabelDisplay =>
  json ? jsonDisplay() : new HumanLabels();

/** One object every ten seconds, and one at the end. */
function jsonDisplay(): LabelDisplay {
  const pace = new PlainPace();
  return {
    progress({ pairs, total }) {
      if (pace.due(pairs)) printJson({ type: 'progress', pairs, total });
    },
    say: (text) => printJson({ type: 'notice', text }),
    close() {},
    ended({ output, interrupted, done, summary }) {
      if (interrupted) printJson({ type: 'interrupted', pairs: done, output });
      else printJson({ type: 'final', output, ...(snakeKeys(summary!) as object) });
    },
  };
}

type Proportion = NonNullable<LabelSummary['human']>;

/** A judge that guesses without looking agrees with itself in half of the pairs. */
const CANNOT_TELL = 0.6;

class HumanLabels implements LabelDisplay {
  readonly #rate = new RateMeter();
  readonly #pace = new PlainPace();
  readonly #bar: SingleBar | null;
  #now: LabelProgress | null = null;

  constructor() {
    this.#bar = terminalBar(process.stdout, (columns, share) => {
      return this.#line(shareBar(share)).slice(0, columns);
    });
  }

  progress(progress: LabelProgress): void {
    const before = this.#now;
    this.#now = progress;
    if (before === null) {
      this.#bar?.start(progress.total, progress.pairs);
      this.#rate.resume();
      return;
    }
    this.#rate.add(progress.pairs - before.pairs);
    if (this.#bar !== null) this.#bar.update(progress.pairs);
    else if (this.#pace.due(progress.pairs)) say(this.#line(''));
  }

  say(text: string): void {
    sayAbove(this.#bar, process.stdout, text);
  }

  close(): void {
    this.#bar?.stop();
  }

  ended({ output, interrupted, done, summary }: LabelResult): void {
    if (interrupted) {
      say(`\nStopped after ${done} pairs. Run the same command again to resume.`);
      return;
    }
    say(`\n${alignedLines(summaryLines(summary!))}`);
    const { ordersAgree, rows } = summary!;
    if (ordersAgree !== null && ordersAgree.interval[1] < CANNOT_TELL) {
      say(
        '\nThe judge mostly names the answer in one place, whichever it is, so its labels say little. Use another judge; `npx keel judge --check` compares judges with people.',
      );
    }
    say(`\n${rows} rows: ${output}`);
    if (rows > 0) {
      say(`Align a model with them: npx keel dpo --data ${shellWord(output)}`);
      say(`Or train a reward model:  npx keel reward --data ${shellWord(output)}`);
    }
  }

  #line(bar: string): string {
    const { pairs, total } = this.#now!;
    const left = this.#rate.secondsFor(total - pairs);
    const time = left === null ? '' : `  ${formatDuration(left)} left`;
    return `${bar}${pairs}/${total} pairs${time}`;
  }
}

function summaryLines(summary: LabelSummary): [string, string][] {
  const { pairs, unlabelled, tied, single, failed, certainty, humanOnly, ratings, length } =
    summary;
  const lines: [string, string][] = [['pairs', String(pairs)]];
  if (single > 0) lines.push(['left out', `${single} prompts with fewer than two answers`]);
  if (unlabelled > 0) lines.push(['without a verdict', `${unlabelled} pairs`]);
  if (tied > 0) lines.push(['tied', `${tied} prompts whose answers have the same rating`]);
  for (const [why, count] of Object.entries(failed)) {
    lines.push(['no verdict', `${count} (${why})`]);
  }
  if (ratings !== null) {
    const { all, chosen, rejected } = ratings;
    const pair =
      chosen === null ? '' : `, chosen ${chosen.toFixed(2)}, rejected ${rejected!.toFixed(2)}`;
    lines.push(['mean rating', `${all.toFixed(2)}${pair}`]);
  } else if (certainty !== null) {
    lines.push(['certainty', `${certainty.toFixed(2)} on average (0: undecided, 1: certain)`]);
  }
  const share = (name: string, one: Proportion | null): void => {
    if (one !== null) lines.push([name, shareText(one)]);
  };
  share('both orders agree', summary.ordersAgree);
  share('longer answer preferred', summary.longer);
  share('agrees with the data', summary.given);
  share('agrees with people', summary.human);
  if (length !== null) {
    const { chosen, rejected } = length;
    lines.push([
      'mean length',
      `${chosen.toFixed(0)} characters chosen, ${rejected.toFixed(0)} rejected`,
    ]);
  }
  if (humanOnly > 0) lines.push(['by people alone', `${humanOnly} rows`]);
  return lines;
}

const shareText = ({ value, count, interval: [low, high] }: Proportion): string =>
  `${percent(value)} of ${count} (95% interval: ${percent(low)} to ${percent(high)})`;

const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;
