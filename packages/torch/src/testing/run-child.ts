import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));

interface ChildOptions {
  /** Flags of Node. */
  flags?: readonly string[];
  /** Set on top of this process's environment. */
  environment?: Record<string, string>;
}

/**
 * Runs a TypeScript module text in a Node process of its own and gives the JSON of its last line of
 * output.
 * @throws Error with what the process wrote when it fails
 */
export async function runChild<T>(
  program: string,
  { flags = [], environment = {} }: ChildOptions = {},
): Promise<T> {
  const args = [...flags, '--input-type=module-typescript', '--eval', program];
  const env = { ...process.env, ...environment };
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: here, env });
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as T;
}
