import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Calling {
  /** Text on stdin. */
  input?: string;
  /** Environment variables added to this process's own; undefined removes one. */
  env?: NodeJS.ProcessEnv;
  /** Called with each line of stdout as it arrives. */
  onLine?(line: string, child: ChildProcessWithoutNullStreams): void;
  /** Called with the process once it runs. */
  onChild?(child: ChildProcessWithoutNullStreams): void;
  /** The command's main.ts, for example in another clone. */
  program?: string;
}

/** Runs the `keel` command as a user would, without a terminal. */
export function keel(args: readonly string[], calling: Calling = {}): Promise<Ended> {
  const { input = '', env = {}, onLine, onChild, program = main } = calling;
  const child = spawn(process.execPath, [program, ...args], {
    // Test files run in parallel: more threads than cores would wait for each other.
    env: { ...process.env, OMP_NUM_THREADS: '1', FORCE_COLOR: undefined, NO_COLOR: '1', ...env },
  });
  onChild?.(child);
  const output = { stdout: '', stderr: '' };
  let shown = 0;
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      if (name !== 'stdout' || !onLine) return;
      const lines = output.stdout.split('\n').slice(0, -1);
      for (; shown < lines.length; shown++) onLine(lines[shown]!, child);
    });
  }
  // A command that does not read stdin may end before it is written.
  child.stdin.on('error', () => {}).end(input);
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => done({ code, signal, ...output }));
  });
}

/** Parses JSON lines. @throws SyntaxError if a line is not JSON */
export const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** A folder that is removed at the end of its scope. */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'keel-cli-'));

  file(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
