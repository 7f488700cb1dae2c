// The examples of docs/architecture/memory.md do what their comments say.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(new URL('../docs/architecture/memory.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]!);

describe('docs/architecture/memory.md', () => {
  test('has examples', () => {
    expect(examples.length).toBeGreaterThan(5);
  });

  test.each(examples)('example %#', (code) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module-typescript', '--eval', code],
      { cwd: root, encoding: 'utf8' },
    );
    const printed = [...code.matchAll(/console\.log\(.*\/\/ (.*)/g)].map((match) => match[1]!);
    const thrown = /\/\/ throws: (.*)/.exec(code)?.[1];
    expect(stdout.split('\n').filter((line) => line !== '')).toEqual(printed);
    if (thrown === undefined) expect(stderr).toBe('');
    else expect(stderr).toContain(thrown);
    expect(status).toBe(thrown === undefined ? 0 : 1);
  });
});
