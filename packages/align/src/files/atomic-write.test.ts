import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  removeFolderAtomic,
  removePartials,
  writeFileAtomic,
  writeFolderAtomic,
} from './atomic-write.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-atomic-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a file is written and replaced, and nothing else is left', () => {
  const path = join(folder, 'a.txt');
  writeFileAtomic(path, 'one');
  writeFileAtomic(path, Buffer.from('two'));
  expect(readFileSync(path, 'utf8')).toBe('two');
  expect(readdirSync(folder)).toEqual(['a.txt']);
});

test('a failed write leaves the old file and nothing else', () => {
  const path = join(folder, 'a');
  mkdirSync(path);
  expect(() => writeFileAtomic(path, 'x')).toThrow();
  expect(readdirSync(folder)).toEqual(['a']);
});

test('a folder appears whole and replaces the previous one', async () => {
  const path = join(folder, 'final');
  for (const content of ['one', 'two']) {
    await writeFolderAtomic(path, async (aside) => {
      mkdirSync(join(aside, 'deep'));
      writeFileSync(join(aside, 'deep', 'x'), content);
      expect(existsSync(path)).toBe(content === 'two');
    });
    expect(readFileSync(join(path, 'deep', 'x'), 'utf8')).toBe(content);
  }
  expect(readdirSync(folder)).toEqual(['final']);
});

test('a folder that fails to fill leaves the previous one', async () => {
  const path = join(folder, 'final');
  await writeFolderAtomic(path, (aside) => writeFileSync(join(aside, 'x'), 'one'));
  const failing = writeFolderAtomic(path, (aside) => {
    writeFileSync(join(aside, 'x'), 'half');
    throw new Error('disk is full');
  });
  await expect(failing).rejects.toThrow('disk is full');
  expect(readFileSync(join(path, 'x'), 'utf8')).toBe('one');
  expect(readdirSync(folder)).toEqual(['final']);
});

test('removing a missing folder does nothing', async () => {
  mkdirSync(join(folder, 'a'));
  writeFileSync(join(folder, 'a', 'x'), '');
  await removeFolderAtomic(join(folder, 'a'));
  await removeFolderAtomic(join(folder, 'a'));
  expect(readdirSync(folder)).toEqual([]);
});

test('a process killed while it fills a folder leaves a partial one, which is removed', async () => {
  const module = join(import.meta.dirname, 'atomic-write.ts');
  const program = `
    import { writeFolderAtomic } from ${JSON.stringify(module)};
    import { writeFileSync } from 'node:fs';
    await writeFolderAtomic(${JSON.stringify(join(folder, 'step-1'))}, async (aside) => {
      writeFileSync(aside + '/half', 'half');
      process.stdout.write('writing');
      await new Promise((resolve) => setInterval(resolve, 1e6));
    });`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(await removePartials(folder)).toEqual([]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(join(folder, 'step-1'))).toBe(false);
  expect(await removePartials(folder)).toHaveLength(1);
  expect(readdirSync(folder)).toEqual([]);
});

test('a folder whose replacement was killed between the two renames is restored', async () => {
  const leftover = `.final.replaced-${process.pid}-00ff`;
  mkdirSync(join(folder, leftover));
  mkdirSync(join(folder, '.other-file'));
  await removePartials(folder);
  expect(readdirSync(folder).sort()).toEqual(['.other-file', 'final']);
  mkdirSync(join(folder, leftover));
  await removePartials(folder);
  expect(readdirSync(folder).sort()).toEqual(['.other-file', 'final']);
  expect(await removePartials(join(folder, 'absent'))).toEqual([]);
});
