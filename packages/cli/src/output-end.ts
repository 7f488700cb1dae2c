// Handles a stdout that can no longer be written to: its reader has exited (`keel … | head -1`), or
// its disk is full.

import { faultOf } from '@keel/model/without-torch';
import { exitCodes } from './failure.ts';
import { complain } from './terminal.ts';

/** Why stdout can no longer be written to. */
export interface OutputEnd {
  exitCode: number;
  /** One sentence for stderr. */
  reason: string;
}

type Listener = (end: OutputEnd) => void;

const listeners = new Set<Listener>();
let ended: OutputEnd | null = null;

/**
 * Starts watching: a failure of stdout goes to the listeners, or ends the process if there are
 * none. A failure of stderr is ignored.
 */
export function watchOutput(): void {
  process.stdout.on('error', receive);
  // There is nowhere left to report it.
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
    return { exitCode: exitCodes.brokenPipe, reason: 'stdout: closed by its reader' };
  }
  const what = code === '' ? message : faultOf(code).what;
  return { exitCode: exitCodes.failed, reason: `stdout: cannot be written: ${what}` };
}

/**
 * Calls a listener when stdout fails, at once if it already has. The process keeps running while
 * there are listeners.
 * @returns removes the listener
 */
export function onOutputEnd(listener: Listener): () => void {
  listeners.add(listener);
  if (ended !== null) listener(ended);
  return () => listeners.delete(listener);
}

/**
 * The exit code of a program that would exit with `code`: lost output turns success into failure.
 */
export const withOutputEnd = (code: number): number =>
  code === exitCodes.done && ended !== null ? ended.exitCode : code;
