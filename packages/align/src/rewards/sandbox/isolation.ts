import type { Interpreter } from './interpreter.ts';
import type { SandboxLimits } from './limits.ts';

/** A command with its arguments. */
export type Command = readonly [file: string, ...args: string[]];

/** What runs in the sandbox, and what it may see. */
export interface SandboxRequest {
  /** The Python that runs the code; what it needs is readable inside. */
  interpreter: Pick<Interpreter, 'executable' | 'readable'>;
  /** Python code that runs inside. */
  code: string;
  limits: SandboxLimits;
  /** The number of a concurrent run, so that runs share no limit. */
  slot: number;
}

/** A method of isolating a program. */
export interface Isolation {
  readonly name: string;
  /**
   * Folder that the program runs in and may write to; null: each run gets its own, removed later.
   */
  readonly scratch: string | null;
  /** The command that runs the request's code in isolation. */
  wrap(request: SandboxRequest): Command;
}

/** Python code as a command. It is an argument, so that there is no file that could be changed. */
export const pythonCommand = (python: string, code: string, ...args: string[]): Command => [
  python,
  ...['-I', '-B', '-X', 'utf8', '-c'],
  code,
  ...args,
];
