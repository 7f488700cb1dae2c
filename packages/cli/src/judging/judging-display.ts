// Shows the progress of judging, and what came of it.
import { formatDuration, PlainPace, RateMeter } from '@keel/align/internal';
import type {
  AskingProgress,
  Finding,
  JudgingHooks,
  JudgingMode,
  JudgingPlan,
} from '@keel/evaluate';
import type { SingleBar } from 'cli-progress';
import { complain, say, styled } from '../terminal.ts';
import { printJson } from '../training/json-display.ts';
import { alignedLines } from '../training/run-plan-text.ts';
import { sayAbove, shareBar, terminalBar } from '../training/terminal-bar.ts';

/** What a command found, for people and for programs. */
export interface Shown {
  lines: readonly (readonly [string, string])[];
  findings: readonly Finding[];
  /** Plain data. */
  summary: unknown;
  output: string | null;
}

export interface JudgingDisplay extends Required<Omit<JudgingHooks, 'signal' | 'onPlan'>> {
  close(): void;
  ended(shown: Shown): void;
  /** @param resume what to do to continue */
  interrupted(output: string, resume: string): void;
}

export const judgingDisplay = (json: boolean): JudgingDisplay =>
  json ? jsonDisplay() : new HumanDisplay();

function jsonDisplay(): JudgingDisplay {
  const pace = new PlainPace();
  return {
    onNotice: (text) => printJson({ type: 'notice', text }),
    onSampling(model, done, total) {
      if (pace.due(done)) printJson({ type: 'sampling', model, done, total });
    },
    onProgress({ done, total, failed, usage }, mode) {
      if (!pace.due(done)) return;
      const { promptTokens, answerTokens, cost } = usage;
      const spent = { prompt_tokens: promptTokens, answer_tokens: answerTokens, cost };
      printJson({ type: 'progress', mode, done, total, failed, ...spent });
    },
    close() {},
    ended: ({ summary, output }) => printJson({ type: 'final', output, summary }),
    interrupted: (output, resume) => printJson({ type: 'interrupted', output, resume }),
  };
}

class HumanDisplay implements JudgingDisplay {
  #bar: SingleBar | null = null;
  #work = '';
  #rate = new RateMeter();
  #pace = new PlainPace();
  #done = 0;
  #total = 0;
  #more = '';

  onNotice = (text: string): void => sayAbove(this.#bar, process.stdout, text);

  onSampling = (model: string, done: number, total: number): void =>
    this.#step(`answers of ${model}`, done, total, '');

  onProgress = ({ done, total, failed, usage }: AskingProgress, mode: JudgingMode): void => {
    const failures = failed === 0 ? '' : `  ${failed} without a verdict`;
    const cost = usage.cost === 0 ? '' : `  cost ${usage.cost.toFixed(4)}`;
    this.#step(mode === 'check' ? 'labelled pairs' : 'verdicts', done, total, failures + cost);
  };

  close = (): void => {
    this.#bar?.stop();
    this.#bar = null;
    this.#work = '';
  };

  ended = ({ lines, findings, output }: Shown): void => {
    say(`\n${alignedLines(lines)}`);
    for (const { severity, text } of findings) {
      const style = severity === 'serious' ? 'red' : severity === 'warning' ? 'yellow' : 'dim';
      say('\n', styled(style, text));
    }
    if (output !== null) say(`\nReport:  ${output}/report.html`);
  };

  interrupted = (output: string, resume: string): void => {
    say(`\nStopped. The verdicts so far are in ${output}. Resume with:  ${resume}`);
  };

  #step(work: string, done: number, total: number, more: string): void {
    [this.#total, this.#more] = [total, more];
    if (work !== this.#work) {
      this.close();
      this.#work = work;
      this.#rate = new RateMeter();
      this.#pace = new PlainPace();
      this.#done = done;
      if (done >= total) return;
      this.#bar = terminalBar(process.stdout, (columns, share) => {
        return this.#line(shareBar(share)).slice(0, columns);
      });
      this.#bar?.start(total, done);
      this.#rate.resume();
      return;
    }
    this.#rate.add(Math.max(0, done - this.#done));
    this.#done = done;
    if (this.#bar !== null) this.#bar.update(done);
    else if (this.#pace.due(done) || done === total) say(this.#line(''));
  }

  #line(bar: string): string {
    const seconds = this.#rate.secondsFor(this.#total - this.#done);
    const left = seconds === null ? '' : `  ${formatDuration(seconds)} left`;
    return `${bar}${this.#done}/${this.#total} ${this.#work}${left}${this.#more}`;
  }
}

const judged: Readonly<Record<JudgingMode, string>> = {
  ...{ comparison: 'pairs', rating: 'answers', check: 'labelled pairs' },
};

/** `--dry-run` */
export function sayJudgingPlan(
  { mode, judge, rows, done, output }: JudgingPlan,
  json: boolean,
): void {
  const calls = (rows - done) * (judge.seesOrder ? 2 : 1);
  if (json) {
    const { name, seesOrder, concurrency } = judge;
    const about = { judge: name, both_orders: seesOrder, concurrency };
    const plan = { type: 'plan', verb: 'judge', dry_run: true, mode };
    printJson({ ...plan, rows, done, calls, ...about, output });
    return;
  }
  const orders = judge.seesOrder ? ', each in both orders' : '';
  const resumed = done === 0 ? '' : `, ${done} of them are done`;
  say(
    alignedLines([
      ['judge', judge.name],
      [judged[mode], `${rows}${orders}${resumed}`],
      ['calls', String(calls)],
      ['output', output],
    ]),
  );
  complain('\nNothing was asked or written (--dry-run).');
}
