import { drawBar, PlainPace } from '@keel/align/internal';
import type { SingleBar } from 'cli-progress';
import { complain } from '../terminal.ts';
import { terminalBar } from '../training/terminal-bar.ts';

/** Progress of scoring on stderr: a bar on a terminal, elsewhere a line now and then. */
export class ScoringBar implements Disposable {
  #text = '';
  readonly #pace = new PlainPace();
  readonly #bar: SingleBar | null = terminalBar(process.stderr, (columns, share) => {
    const width = Math.max(8, Math.min(30, columns - this.#text.length - 2));
    return `${drawBar(share, width)}  ${this.#text}`;
  });

  constructor() {
    // The first line comes after some time.
    this.#pace.due(0);
  }

  show(what: string, done: number, total: number): void {
    this.#text = `${what}: ${done} of ${total} answers scored`;
    if (this.#bar === null) {
      if (done < total && this.#pace.due(done)) complain(this.#text);
    } else if (!this.#bar.isActive) this.#bar.start(1, done / total);
    else this.#bar.update(done / total);
  }

  stop(): void {
    this.#bar?.stop();
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
