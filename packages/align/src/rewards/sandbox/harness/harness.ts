import { readFileSync } from 'node:fs';
import type { Command } from '../isolation.ts';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

const sources = {
  program: ['program.py'],
  candidate: ['exchange.py', 'candidate.py'],
  tester: ['exchange.py', 'remote.py', 'watch.py', 'collect.py', 'tester.py'],
  probe: ['probe.py'],
};

/** What a process in the sandbox does: all of it is trusted until it takes in somebody's code. */
export type HarnessName = keyof typeof sources;

const texts = new Map<string, string>();

/** The command that runs a harness: its source is an argument, so that there is no file of it to change. */
export function harnessCommand(python: string, name: HarnessName, filtered: boolean): Command {
  const key = `${name} ${filtered}`;
  const known = texts.get(key);
  const parts = filtered ? ['filter.py', ...sources[name]] : sources[name];
  const text = known ?? parts.map(read).join('\n\n');
  texts.set(key, text);
  return [python, '-I', '-B', '-X', 'utf8', '-c', text];
}
