import { SingleBar } from 'cli-progress';
import { write } from '../terminal.ts';
import { shownLine, shownText } from '../torch-free/shown-text.ts';

/**
 * A progress bar on a terminal; null elsewhere.
 * @param line what stands there, of so many columns at most
 */
export function terminalBar(
  stream: NodeJS.WriteStream,
  line: (columns: number, share: number) => string,
): SingleBar | null {
  if (!stream.isTTY) return null;
  return new SingleBar({
    stream,
    // A terminal that does not know its width says 0.
    format: (_, { progress }) => shownLine(line((stream.columns || 80) - 1, progress)),
    hideCursor: true,
    // The first signal only ends what is under way: the bar stays till then.
    gracefulExit: false,
  });
}

/** Writes a line above the bar, where there is one. */
export function sayAbove(bar: SingleBar | null, stream: NodeJS.WriteStream, text: string): void {
  if (bar?.isActive) {
    // The bar puts the cursor back to where it was saved when it stops: that is its new line now.
    stream.write(`\r\x1b[2K${shownText(text)}\n\x1b7`);
    bar.render();
  } else write(stream, `${text}\n`);
}
