import { inspect } from 'node:util';
import { CommanderError } from 'commander';
import { complain } from './terminal.ts';

/** Exit codes of the command line. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

/** Tells the user of a failure, without a stack unless KEEL_DEBUG=1. @returns the exit code */
export function reportFailure(error: unknown, verb: string | undefined): number {
  if (error instanceof CommanderError) {
    // Commander has printed its message (or the help) itself.
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
  if (process.env.KEEL_DEBUG === '1') complain(inspect(error));
  else complain(`error: ${messageOf(error)}`);
  if (error instanceof Error && error.name === 'ConfigError') {
    complain(`See \`keel ${verb ?? ''} --help\`.`);
    return exitCodes.usage;
  }
  return exitCodes.failed;
}

/** The error's message, and those of its causes where they say more. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const parts = [error.message];
  for (let { cause } = error; cause instanceof Error; cause = cause.cause) {
    if (!parts.some((part) => part.includes((cause as Error).message))) parts.push(cause.message);
  }
  return parts.join('\n  because: ');
}
