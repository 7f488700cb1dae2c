import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gitState } from './environment.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-git-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('outside a git tree, then clean, then changed', () => {
  const git = (...words: string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], {
      cwd: folder,
      encoding: 'utf8',
    }).trim();
  expect(gitState(folder)).toBeNull();
  git('init', '-q');
  writeFileSync(join(folder, 'a'), 'one');
  git('add', 'a');
  git('commit', '-qm', 'one');
  const commit = git('rev-parse', 'HEAD');
  expect(gitState(folder)).toEqual({ commit, dirty: false });
  writeFileSync(join(folder, 'a'), 'two');
  expect(gitState(folder)).toEqual({ commit, dirty: true });
});
