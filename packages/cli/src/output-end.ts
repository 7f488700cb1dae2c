// What happens when stdout can no longer be written: its reader has left (`keel … | head -1`), or
// the disk under it is full.

import { exitCodes } from './failure.ts';
import { complain } from './terminal.ts';
import { faultOf } from './torch-free/file-error.ts';

/** How stdout ended. */
export interface OutputEnd {
  exitCode: number;
  /** For stderr, in one sentence. */
  reason: string;
}

type Listener = (end: OutputEnd) => void;

const listeners = new Set<Listener>();
let ended: OutputEnd | null = null;

/**
 * From now on an end of stdout is passed to those who wait for it, or ends the process; one of
 * stderr is ignored.
 */
export function watchOutput(): void {
  process.stdout.on('error', receive);
  // There is no place left to report it.
  process.stderr.on('error', () => {});
}

function receive(error: NodeJS.ErrnoException): void {
  if (ended !== null) return;
  ended = endOf(error);
  for (const listener of listeners) listener(ended);
  if (listeners.size > 0) return;
  // A reader that has seen enough needs no explanation.
  if (ended.exitCode !== exitCodes.brokenPipe) complain(`error: ${ended.reason}`);
  process.exit(ended.exitCode);
}

function endOf({ code = '', message }: NodeJS.ErrnoException): OutputEnd {
  if (code === 'EPIPE' || code === 'ECONNRESET') {
    return { exitCode: exitCodes.brokenPipe, reason: 'stdout: its reader has closed it' };
  }
  const what = code === '' ? message : faultOf(code).what;
  return { exitCode: exitCodes.failed, reason: `stdout: cannot be written: ${what}` };
}

/**
 * Passes an end of stdout to a listener, at once where it has ended already. While there are
 * listeners, the process goes on.
 * @returns takes the listener away
 */
export function onOutputEnd(listener: Listener): () => void {
  listeners.add(listener);
  if (ended !== null) listener(ended);
  return () => listeners.delete(listener);
}

/** The exit code of a program that ends with `code`, though its output was lost. */
export const withOutputEnd = (code: number): number =>
  code === exitCodes.done && ended !== null ? ended.exitCode : code;
