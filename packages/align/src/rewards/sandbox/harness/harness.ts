import { readFileSync } from 'node:fs';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

/** Takes system calls away from a program, and replaces what asyncio needs of them. */
const filter = ['filter.py', 'self-pipe.py'];

const sources = {
  program: ['program.py'],
  candidate: ['exchange.py', 'candidate.py'],
  tester: ['exchange.py', 'remote.py', 'watch.py', 'collect.py', 'tester.py'],
  // Tries what namespaces and limits prevent, then what only the filter prevents.
  probe: ['probe.py', 'filter.py', 'probe-calls.py'],
};

/** The task of a process in the sandbox. Its code is trusted until it loads somebody's code. */
export type HarnessName = keyof typeof sources;

const texts = new Map<string, string>();

/** The Python code of a harness. */
export function harnessCode(name: HarnessName, filtered: boolean): string {
  const key = `${name} ${filtered}`;
  const known = texts.get(key);
  const parts = filtered ? [...filter, ...sources[name]] : sources[name];
  const text = known ?? parts.map(read).join('\n\n');
  texts.set(key, text);
  return text;
}
