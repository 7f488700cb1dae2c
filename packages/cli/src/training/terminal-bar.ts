import { drawBar } from '@keel/align/internal';
import { shownLine, shownText } from '@keel/model/without-torch';
import { SingleBar } from 'cli-progress';
import { write } from '../terminal.ts';

/**
 * A progress bar on a terminal; null elsewhere.
 * @param line renders the bar in at most `columns` columns
 */
export function terminalBar(
  stream: NodeJS.WriteStream,
  line: (columns: number, share: number) => string,
): SingleBar | null {
  if (!stream.isTTY) return null;
  return new SingleBar({
    stream,
    // A terminal that does not know its width reports 0.
    format: (_, { progress }) => shownLine(line((stream.columns || 80) - 1, progress)),
    hideCursor: true,
    // The first signal only finishes the current step: the bar stays until then.
    gracefulExit: false,
  });
}

/** A bar with its share in percent, for the start of a line. */
export const shareBar = (share: number): string =>
  `${drawBar(share, 20)} ${String(Math.round(100 * share)).padStart(3)}%  `;

/** Writes a line above the bar, if there is one. */
export function sayAbove(bar: SingleBar | null, stream: NodeJS.WriteStream, text: string): void {
  if (bar?.isActive) {
    // When the bar stops, it restores the saved cursor position: save the bar's new line.
    stream.write(`\r\x1b[2K${shownText(text)}\n\x1b7`);
    bar.render();
  } else write(stream, `${text}\n`);
}
