// The diffs of docs/how-to-add apply to this tree, and what they add passes its tests, the type
// check and the formatter.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = join(root, 'docs/how-to-add');

const diffOf = (page: string): string =>
  /```diff\n(.*?\n)```/s.exec(readFileSync(join(pages, page), 'utf8'))?.[1] ?? '';
const filesOf = (diff: string): string[] =>
  [...diff.matchAll(/^\+\+\+ b\/(.*)$/gm)].map((match) => match[1]!);

let copy: string;
/** Runs a program of the repository in the copy. @returns what it printed where it failed */
function run(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: 'utf8',
    // Workers of vitest would take what this one was told for their own.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^VITE/.test(name))),
  });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

/** The tracked files that programs and tests need, with the installed packages and the addon. */
function copyTree(): void {
  const packages = ['statistics', 'torch', 'model', 'align', 'evaluate'].map(
    (name) => `packages/${name}`,
  );
  const settings = [
    ...['tsconfig.json', 'vitest.config.ts', 'biome.json', '.gitignore'],
    // vitest.config.ts imports it.
    'packages/studio/src/testing/browser-path.ts',
  ];
  const files = execFileSync('git', ['ls-files', '-z', ...packages, ...settings, 'package.json'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of files.split('\0').filter((name) => name !== '')) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  symlinkSync(join(root, 'packages/torch/build'), join(copy, 'packages/torch/build'));
  mkdirSync(join(copy, 'node_modules/@keel'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (name === '@keel' || name.startsWith('.')) continue;
    symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
  }
  for (const name of ['statistics', 'torch', 'model', 'align', 'evaluate']) {
    symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules/@keel', name));
  }
}

const names = readdirSync(pages).filter((name) => name.endsWith('.md'));

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'keel-how-to-add-'));
  copyTree();
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('docs/how-to-add', () => {
  it.each(names)('%s has a diff that applies', (page) => {
    const diff = diffOf(page);
    expect(filesOf(diff).length).toBeGreaterThan(1);
    execFileSync('git', ['apply', '-'], { cwd: copy, input: diff, stdio: 'pipe' });
  });

  it('what they add has the right types', () => {
    const barrels = ['model', 'align'].map((name) => `packages/${name}/src/index.ts`);
    const files = [...barrels, ...names.flatMap((page) => filesOf(diffOf(page)))];
    const config = { extends: './tsconfig.json', include: [], files };
    writeFileSync(join(copy, 'tsconfig.added.json'), JSON.stringify(config));
    expect(run(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.added.json'])).toBe('');
  });

  it('what they add is formatted', () => {
    const changed = names.flatMap((page) => filesOf(diffOf(page)));
    expect(run(['node_modules/@biomejs/biome/bin/biome', 'check', ...changed])).toBe('');
  });

  it('what they add passes its tests', () => {
    const tests = names
      .flatMap((page) => filesOf(diffOf(page)))
      .filter((file) => file.endsWith('.test.ts'));
    const extremes = 'packages/align/src/objectives/extremes.test.ts';
    expect(run(['node_modules/vitest/vitest.mjs', 'run', extremes, ...tests])).toBe('');
  });
});
