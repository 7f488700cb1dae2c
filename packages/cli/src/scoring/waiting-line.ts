import { PlainPace, waitingText } from '@keel/align/internal';
import { complain, write } from '../terminal.ts';

/**
 * A line on stderr while the reward takes long: rewritten on a terminal, elsewhere one every ten
 * seconds.
 */
export class WaitingLine implements Disposable {
  readonly #pace = new PlainPace();
  #shown = false;

  readonly report = (seconds: number): void => {
    if (process.stderr.isTTY) {
      process.stderr.write('\r\x1b[2K');
      write(process.stderr, waitingText(seconds));
      this.#shown = true;
    } else if (seconds >= 10 && this.#pace.due(0)) complain(waitingText(seconds));
  };

  /** Removes the line. */
  clear(): void {
    if (this.#shown) process.stderr.write('\r\x1b[2K');
    this.#shown = false;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}
