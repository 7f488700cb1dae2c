import type { Interpreter } from './interpreter.ts';
import type { SandboxLimits } from './limits.ts';

/** A command with its arguments. */
export type Command = readonly [file: string, ...args: string[]];

/** What is put into the sandbox, and what it may see. */
export interface SandboxRequest {
  /** The Python that runs the code; what it needs can be read inside. */
  interpreter: Pick<Interpreter, 'executable' | 'readable'>;
  /** Python code that runs inside. */
  code: string;
  limits: SandboxLimits;
  /** Of one that runs beside others: its own number, so that they share no limit. */
  slot: number;
}

/** One way of shutting a program in. */
export interface Isolation {
  readonly name: string;
  /**
   * Folder that the program runs in and may write to; null: one is made for each run and removed.
   */
  readonly scratch: string | null;
  /** The command that runs the request's code shut in. */
  wrap(request: SandboxRequest): Command;
}

/** Of the system, what every program needs to run; nothing of it is anybody's own. */
export const systemPaths = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/lib32'];

/** Python code as a command. The code is an argument, so that there is no file of it to change. */
export const pythonCommand = (python: string, code: string, ...args: string[]): Command => [
  python,
  ...['-I', '-B', '-X', 'utf8', '-c'],
  code,
  ...args,
];
