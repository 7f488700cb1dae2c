import type { ReviseProgress, ReviseResult, RevisionSummary } from '@keel/align';
import { formatDuration, PlainPace, RateMeter } from '@keel/align/internal';
import type { SingleBar } from 'cli-progress';
import { shellWord } from '../shell-word.ts';
import { say } from '../terminal.ts';
import { printJson } from '../training/json-display.ts';
import { alignedLines, snakeKeys } from '../training/run-plan-text.ts';
import { sayAbove, shareBar, terminalBar } from '../training/terminal-bar.ts';

/** Shows the progress and the result of critique and revision. */
export interface ReviseDisplay {
  progress(progress: ReviseProgress): void;
  say(text: string): void;
  close(): void;
  ended(result: ReviseResult): void;
}

export const reviseDisplay = (json: boolean): ReviseDisplay =>
  json ? jsonDisplay() : new HumanRevise();

/** One object every ten seconds, and one at the end. */
function jsonDisplay(): ReviseDisplay {
  const pace = new PlainPace();
  return {
    progress({ prompts, total }) {
      if (pace.due(prompts)) printJson({ type: 'progress', prompts, total });
    },
    say: (text) => printJson({ type: 'notice', text }),
    close() {},
    ended({ output, interrupted, done, summary }) {
      if (interrupted) printJson({ type: 'interrupted', prompts: done, output });
      else printJson({ type: 'final', output, ...(snakeKeys(summary!) as object) });
    },
  };
}

class HumanRevise implements ReviseDisplay {
  readonly #rate = new RateMeter();
  readonly #pace = new PlainPace();
  readonly #bar: SingleBar | null;
  #now: ReviseProgress | null = null;

  constructor() {
    this.#bar = terminalBar(process.stdout, (columns, share) => {
      return this.#line(shareBar(share)).slice(0, columns);
    });
  }

  progress(progress: ReviseProgress): void {
    const before = this.#now;
    this.#now = progress;
    if (before === null) {
      this.#bar?.start(progress.total, progress.prompts);
      this.#rate.resume();
      return;
    }
    const done = progress.prompts + progress.current;
    // Turns that were not needed are done at the end of their prompts.
    this.#rate.add(Math.max(0, done - before.prompts - before.current));
    if (this.#bar !== null) this.#bar.update(done);
    else if (this.#pace.due(done)) say(this.#line(''));
  }

  say(text: string): void {
    sayAbove(this.#bar, process.stdout, text);
  }

  close(): void {
    this.#bar?.stop();
  }

  ended({ output, interrupted, done, summary }: ReviseResult): void {
    if (interrupted) {
      say(`\nStopped after ${done} prompts. Run the same command again to resume.`);
      return;
    }
    say(`\n${alignedLines(summaryLines(summary!))}`);
    const { supervised, preferences } = summary!;
    say(
      `\n${output}: sft.jsonl (${supervised} rows), preferences.jsonl (${preferences} rows), lineage.jsonl`,
    );
    if (supervised > 0) {
      say(`Train on the revisions: npx keel sft --data ${shellWord(`${output}/sft.jsonl`)}`);
    }
    if (preferences > 0) {
      say(`Or on the preferences: npx keel dpo --data ${shellWord(`${output}/preferences.jsonl`)}`);
    }
    if (supervised === 0) {
      say(
        'No critique or revision could be used. Read lineage.jsonl; a larger --critic usually helps.',
      );
    }
  }

  #line(bar: string): string {
    const { prompts, total, current } = this.#now!;
    const now = current > 0 ? `, ${current.toFixed(1)} more in progress` : '';
    const left = this.#rate.secondsFor(total - prompts - current);
    const time = left === null ? '' : `  ${formatDuration(left)} left`;
    return `${bar}${prompts}/${total} prompts${now}${time}`;
  }
}

function summaryLines(summary: RevisionSummary): [string, string][] {
  const { prompts, failed, rounds, dropped, length } = summary;
  const all = Object.values(rounds).reduce((sum, count) => sum + count, 0);
  const lines: [string, string][] = [['prompts', String(prompts)]];
  for (const [why, count] of Object.entries(failed)) lines.push(['no answer', `${count} (${why})`]);
  lines.push(['critiques', `${all}, of which`]);
  lines.push(['  revised', String(rounds.revised)]);
  lines.push(['  nothing to change', String(rounds['nothing to change'])]);
  for (const [why, count] of Object.entries(dropped).sort(([, a], [, b]) => b - a)) {
    lines.push([`  dropped`, `${count} (${why})`]);
  }
  if (length !== null) {
    const { answer, final } = length;
    lines.push([
      'mean length',
      `${answer.toFixed(0)} characters before, ${final.toFixed(0)} after`,
    ]);
  }
  return lines;
}
