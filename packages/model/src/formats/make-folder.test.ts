import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { FileError } from './file-error.ts';
import { makeFolder } from './make-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-make-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('makes all missing folders of a path', () => {
  const path = join(folder, 'a', 'b', 'c');
  makeFolder(path);
  makeFolder(path);
  symlinkSync(path, join(folder, 'link'));
  makeFolder(join(folder, 'link', 'd'));
  expect(existsSync(join(path, 'd'))).toBe(true);
});

test('names the folder that it cannot make', () => {
  writeFileSync(join(folder, 'file'), '');
  for (const path of ['file', 'file/a/b'].map((name) => join(folder, name))) {
    expect(() => makeFolder(path)).toThrow(FileError);
    expect(() => makeFolder(path)).toThrow(`${path}: cannot be written: `);
  }
});

test.runIf(process.platform === 'linux')('terminates if /proc denies that a folder exists', () => {
  expect(() => makeFolder('/proc/keel/run')).toThrow('/proc/keel/run: cannot be written');
});
