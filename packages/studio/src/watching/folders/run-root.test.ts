import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../testing/run-folders.ts';
import { RunRoot } from './run-root.ts';

function folders(): { root: RunRoot; path: string; outside: string } {
  const parent = temporaryFolder();
  const path = join(parent, 'runs');
  const outside = join(parent, 'outside');
  for (const name of [join(path, 'a', 'b'), outside, join(parent, 'runs-too')]) {
    mkdirSync(name, { recursive: true });
  }
  writeFileSync(join(outside, 'secret.txt'), 'secret');
  return { root: new RunRoot(path), path, outside };
}

test('an id is a path below the root', () => {
  const { root, path } = folders();
  expect(root.folder('a/b')).toBe(join(path, 'a', 'b'));
  expect(root.folder('.')).toBe(path);
  expect(root.idOf(join(path, 'a', 'b'))).toBe('a/b');
  expect(root.idOf(path)).toBe('.');
});

test.each([
  ...[
    '..',
    '../outside',
    'a/../../outside',
    'a/..',
    './a',
    'a//b',
    'a/',
    '/',
    '',
    'a\0',
    '../runs-too',
  ],
  ...['/etc', 'a/b/../../../outside'],
])('%j is refused as an id', (id) => {
  const { root } = folders();
  expect(() => root.folder(id)).toThrow(expect.objectContaining({ code: 'invalid' }));
});

test('a name that looks encoded is a name', () => {
  const { root, path } = folders();
  mkdirSync(join(path, '%2e%2e'));
  expect(root.folder('%2e%2e')).toBe(join(path, '%2e%2e'));
  expect(() => root.folder('%2e%2e/outside')).toThrow(expect.objectContaining({ code: 'unknown' }));
});

test('links that lead out of the root are not followed', () => {
  const { root, path, outside } = folders();
  symlinkSync(outside, join(path, 'link'));
  symlinkSync(join(outside, 'secret.txt'), join(path, 'a', 'report.html'));
  symlinkSync(join(path, 'a'), join(path, 'inside'));
  expect(() => root.folder('link')).toThrow(expect.objectContaining({ code: 'unknown' }));
  expect(root.within(root.folder('a'), 'report.html')).toBeNull();
  expect(root.within(root.folder('a'), '../../outside/secret.txt')).toBeNull();
  expect(root.folder('inside')).toBe(join(path, 'a'));
});

test('a folder next to the root with a longer name is outside', () => {
  const { root, path } = folders();
  expect(root.idOf(`${path}-too`)).toBeNull();
});

test('a root that is no folder is refused', () => {
  const { outside } = folders();
  for (const path of [join(outside, 'nothing'), join(outside, 'secret.txt')]) {
    expect(() => new RunRoot(path)).toThrow(/is not a folder/);
  }
});
