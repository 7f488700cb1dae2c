// Shows the progress of an evaluation, and what it found.
import { formatDuration, PlainPace, RateMeter } from '@keel/align/internal';
import type { Evaluation, EvaluationHooks, EvaluationProgress } from '@keel/evaluate';
import type { SingleBar } from 'cli-progress';
import { shellWord } from '../shell-word.ts';
import { say } from '../terminal.ts';
import { printJson } from '../training/json-display.ts';
import { sayAbove, shareBar, terminalBar } from '../training/terminal-bar.ts';
import { printEvaluation } from './evaluation-table.ts';

export interface EvaluationDisplay extends Required<Omit<EvaluationHooks, 'signal'>> {
  close(): void;
  ended(evaluation: Evaluation): void;
  interrupted(output: string): void;
}

export const evaluationDisplay = (json: boolean): EvaluationDisplay =>
  json ? jsonDisplay() : humanDisplay();

/** This command as it was typed, which resumes it. */
const command = (): string => ['npx keel', ...process.argv.slice(2).map(shellWord)].join(' ');

function jsonDisplay(): EvaluationDisplay {
  const pace = new PlainPace();
  return {
    onProgress({ entry, task, done, total }) {
      if (pace.due(done))
        printJson({ type: 'progress', entry, task, rows: Math.floor(done), total });
    },
    onNotice: (text) => printJson({ type: 'notice', text }),
    close() {},
    ended: ({ json, summary, report }) => printJson({ type: 'final', summary, report, ...json }),
    interrupted: (output) => printJson({ type: 'interrupted', output, resume: command() }),
  };
}

function humanDisplay(): EvaluationDisplay {
  const rate = new RateMeter();
  const pace = new PlainPace();
  let now: EvaluationProgress | null = null;
  let finished = 0;
  const line = (drawn: string): string => {
    const { entry, task, done, total } = now!;
    const seconds = rate.secondsFor(total - done);
    const left = seconds === null ? '' : `  ${formatDuration(seconds)} left`;
    return `${drawn}${Math.floor(done)}/${total} rows  ${entry}: ${task}${left}`;
  };
  let bar: SingleBar | null = null;
  return {
    onProgress(progress) {
      const first = now === null;
      now = progress;
      if (first) {
        finished = progress.done;
        rate.resume();
        if (progress.done >= progress.total) return;
        bar = terminalBar(process.stdout, (columns, share) => {
          return line(shareBar(share)).slice(0, columns);
        });
        bar?.start(progress.total, progress.done);
        return;
      }
      rate.add(Math.max(0, progress.done - finished));
      finished = Math.max(finished, progress.done);
      if (bar !== null) bar.update(finished);
      else if (pace.due(progress.done)) say(line(''));
    },
    onNotice: (text) => sayAbove(bar, process.stdout, text),
    close() {
      bar?.stop();
      bar = null;
    },
    ended: printEvaluation,
    interrupted: (output) =>
      say(`\nStopped. The rows so far are in ${output}. Resume with:  ${command()}`),
  };
}
