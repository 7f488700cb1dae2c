import { drawBar, PlainPace } from '@keel/align/internal';
import type { SingleBar } from 'cli-progress';
import { say } from '../terminal.ts';
import { printJson } from '../training/json-display.ts';
import { sayAbove, terminalBar } from '../training/terminal-bar.ts';

interface Progress {
  what: string;
  done: number;
  total: number;
}

/** Progress of a stage that trains nothing: a bar on a terminal, otherwise some lines. */
export class JobBar {
  readonly #json: boolean;
  #pace = new PlainPace({ seconds: 5 });
  #now: Progress = { what: '', done: 0, total: 0 };
  readonly #bar: SingleBar | null;

  constructor(json: boolean) {
    this.#json = json;
    const line = (columns: number, share: number): string => {
      const text = `${this.#now.done} of ${this.#now.total} ${this.#now.what}`;
      return `${drawBar(share, Math.max(8, Math.min(30, columns - text.length - 2)))}  ${text}`;
    };
    this.#bar = json ? null : terminalBar(process.stdout, line);
  }

  get active(): boolean {
    return this.#bar?.isActive === true;
  }

  progress(stage: string, label: string, { what, done, total }: Progress): void {
    if (what !== this.#now.what) this.close();
    this.#now = { what, done, total };
    if (this.#bar === null) {
      if (!this.#pace.due(0)) return;
      if (this.#json) printJson({ type: 'progress', stage, what, done, total });
      else say(`${label}  ${done} of ${total} ${what}`);
    } else if (this.#bar.isActive) this.#bar.update(done);
    else this.#bar.start(total, done);
  }

  say(text: string): void {
    sayAbove(this.#bar, process.stdout, text);
  }

  close(): void {
    this.#bar?.stop();
    this.#pace = new PlainPace({ seconds: 5 });
  }
}
