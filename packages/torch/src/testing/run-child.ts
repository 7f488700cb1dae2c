import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));

interface ChildOptions {
  /** Node's flags. */
  flags?: readonly string[];
  /** Variables to set in addition to this process's environment. */
  environment?: Record<string, string>;
}

/**
 * Runs the text of a TypeScript module in a separate Node process, and returns the JSON in its last
 * line of output.
 * @throws Error with the process's output if it fails
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
