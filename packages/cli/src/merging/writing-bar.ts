import type { MergeEvent } from '@keel/align';
import { drawBar, formatBytes } from '@keel/align/internal';
import type { SingleBar } from 'cli-progress';
import { say } from '../terminal.ts';
import { sayAbove, terminalBar } from '../training/terminal-bar.ts';

/** A bar on a terminal while weights are written; elsewhere one line. */
export class WritingBar {
  readonly #bar: SingleBar | null;
  #done = 0;
  #total = 0;

  constructor() {
    this.#bar = terminalBar(process.stdout, (columns, share) => {
      const text = ` ${formatBytes(this.#done)} of ${formatBytes(this.#total)}`;
      return `writing ${drawBar(share, Math.max(10, Math.min(40, columns - text.length - 8)))}${text}`;
    });
  }

  /** @param checking what is said when the weights are written and their check begins */
  show(event: MergeEvent, checking: string): void {
    switch (event.type) {
      case 'loading':
        say(`Loading ${event.name}`);
        break;
      case 'notice':
        sayAbove(this.#bar, process.stdout, `note: ${event.text}`);
        break;
      case 'writing':
        this.#written(event.bytesDone, event.bytesTotal);
        break;
      case 'checking':
        this.stop();
        say(checking);
    }
  }

  #written(done: number, total: number): void {
    this.#done = done;
    this.#total = total;
    if (this.#bar === null) {
      if (done === 0) say(`Writing ${formatBytes(total)}`);
      return;
    }
    if (!this.#bar.isActive) this.#bar.start(total, 0);
    this.#bar.update(done);
    // Writing does not yield, so the bar's own timer does not run.
    this.#bar.render();
  }

  stop(): void {
    this.#bar?.stop();
  }
}
