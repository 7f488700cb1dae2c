import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { systemPaths } from './system-paths.ts';

/** A Python, and the folders that it needs in addition to those of the system. */
export interface Interpreter {
  /** The executable itself, not a shim that looks it up. */
  executable: string;
  version: string;
  readable: readonly string[];
}

const question = `import json, os, sys
print(json.dumps([sys.executable, os.path.realpath(sys.executable), '%d.%d.%d' % sys.version_info[:3],
  sys.prefix, sys.base_prefix]))`;

/**
 * Asks a Python for its location.
 * @param command a name or path, such as `python3`
 * @throws Error if it is not found or is older than 3.8
 */
export async function findPython(command: string): Promise<Interpreter> {
  let answer: [executable: string, real: string, version: string, prefix: string, base: string];
  try {
    const { stdout } = await promisify(execFile)(command, ['-I', '-c', question]);
    answer = JSON.parse(stdout);
  } catch (error) {
    const advice = 'Install Python 3, or name another one with `command` in the spec of the reward';
    throw new Error(`code cannot be run: "${command}" does not start. ${advice}`, { cause: error });
  }
  const [executable, real, version, prefix, base] = answer;
  if (Number(version.split('.')[1]) < 8 || !version.startsWith('3.')) {
    throw new Error(`code cannot be run: "${command}" is Python ${version}, but 3.8 is required`);
  }
  const needed = [prefix, base, dirname(dirname(real))].filter((path) => !isOfSystem(path));
  return { executable, version, readable: outermost(needed) };
}

const isOfSystem = (path: string): boolean =>
  path === '/' || systemPaths.some((known) => path === known || path.startsWith(`${known}/`));

/** The paths that are not inside another one of them. */
function outermost(paths: readonly string[]): string[] {
  const all = [...new Set(paths)];
  return all.filter((path) => !all.some((other) => path.startsWith(`${other}/`)));
}
