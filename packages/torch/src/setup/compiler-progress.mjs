// How far the compiler is, from what the build tool prints.
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * Reads the output of make or Ninja, which name each file.
 *
 * @param {number | null} total number of files; null if it depends on what has changed
 * @param {(text: string) => void} report
 * @returns {(line: string) => void}
 */
export function compilerProgress(total, report) {
  let count = 0;
  return (line) => {
    if (line.includes('Linking CXX')) report('linking');
    const file = /Building CXX object \S*?\.dir\/(\S+)/.exec(line)?.[1];
    if (file === undefined) return;
    count++;
    const name = basename(file).replace(/\.(o|gch|pch)$/, '');
    const what = name.startsWith('cmake_pch') ? "LibTorch's headers" : name;
    report(`compiling ${what} (${total === null ? `file ${count}` : `${count} of ${total}`})`);
  };
}

/**
 * Number of files that a whole build compiles; null if the build tool does not list them.
 *
 * @param {string} work CMake's folder
 */
export function filesToCompile(work) {
  const commands = join(work, 'compile_commands.json');
  return existsSync(commands) ? JSON.parse(readFileSync(commands, 'utf8')).length : null;
}
