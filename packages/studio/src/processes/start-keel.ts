// Commands of Keel that outlive the program that starts them.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';

export interface StartOptions {
  /** The words that run Keel's command line. */
  keel: readonly string[];
  /** Where relative paths start. */
  folder: string;
  /** File to which it appends what the command prints. */
  output: string;
}

/** Starts a command in a session of its own. @throws Error if the program cannot be started */
export function startKeel(
  words: readonly string[],
  { keel, folder, output }: StartOptions,
): ChildProcess {
  const [program, ...args] = [...keel, ...words];
  const log = openSync(output, 'a');
  try {
    writeSync(log, `\n$ keel ${words.join(' ')}\n`);
    const child = spawn(program!, args, {
      ...{ cwd: folder, detached: true },
      stdio: ['ignore', log, log],
    });
    // What becomes of it is in its files; without a listener an error would end this process.
    child.on('error', () => {});
    child.unref();
    if (child.pid === undefined) throw new Error(`${program} cannot be started`);
    return child;
  } finally {
    closeSync(log);
  }
}
