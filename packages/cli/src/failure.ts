import { inspect } from 'node:util';
import { fileError } from '@keel/model/without-torch';
import { CommanderError } from 'commander';
import { cutMessage } from './cut-message.ts';
import { complain } from './terminal.ts';

/** Exit codes of the command line. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  /** Everything ran, but a gate of `keel evaluate` or `keel judge` was not passed. */
  gateFailed: 3,
  hungUp: 129,
  interrupted: 130,
  /** Stopped by SIGUSR1, which a scheduler sends before a job's time is over. */
  requeued: 138,
  /** Like a program that SIGPIPE kills. */
  brokenPipe: 141,
  terminated: 143,
} as const;

/** Reports a failure to the user, with a stack only if KEEL_DEBUG=1. @returns the exit code */
export function reportFailure(error: unknown, verb: string | undefined): number {
  if (error instanceof CommanderError) {
    // Commander has printed its message (or the help) itself.
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
  if (process.env.KEEL_DEBUG === '1') complain(inspect(error));
  else complain(`error: ${cutMessage(messageOf(error))}`);
  if (error instanceof Error && error.name === 'ConfigError') {
    complain(`See \`keel ${verb ?? ''} --help\`.`);
    return exitCodes.usage;
  }
  return exitCodes.failed;
}

/** The error's message, followed by those of its causes that add something. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known = fileError(error) as Error;
  const parts = [known.message];
  // A FileError already includes the system's message.
  for (let cause = causeOf(known); cause !== null; cause = causeOf(cause)) {
    const { message } = fileError(cause) as Error;
    if (!parts.some((part) => part.includes(message))) parts.push(message);
  }
  return parts.join('\n  because: ');
}

const causeOf = (error: Error): Error | null =>
  error.name !== 'FileError' && error.cause instanceof Error ? error.cause : null;
