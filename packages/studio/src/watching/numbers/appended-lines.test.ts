import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../testing/run-folders.ts';
import { appendedLines } from './appended-lines.ts';

const textsOf = (read: ReturnType<typeof appendedLines>): string[] =>
  read.lines.map(({ text }) => text);

test('only whole lines are read, each once, with their places', () => {
  const path = join(temporaryFolder(), 'a.jsonl');
  writeFileSync(path, 'één\ntwo\nthr');
  const first = appendedLines(path, null);
  expect(first.lines).toEqual([
    { text: 'één', line: 1, start: 0, end: 5 },
    { text: 'two', line: 2, start: 6, end: 9 },
  ]);
  appendFileSync(path, 'ee\nfour\n');
  const second = appendedLines(path, first.cursor);
  expect(second.lines).toEqual([
    { text: 'three', line: 3, start: 10, end: 15 },
    { text: 'four', line: 4, start: 16, end: 20 },
  ]);
  expect([second.restarted, second.more]).toEqual([false, false]);
  expect(textsOf(appendedLines(path, second.cursor))).toEqual([]);
});

test('a file that was written again is read from the start', () => {
  const path = join(temporaryFolder(), 'a.jsonl');
  writeFileSync(path, 'one\ntwo\nthree\n');
  const { cursor } = appendedLines(path, null);
  // Shorter, longer with another text before the place, and removed.
  truncateSync(path, 4);
  expect(appendedLines(path, cursor)).toMatchObject({ restarted: true, lines: [{ text: 'one' }] });
  writeFileSync(path, 'one\ntwo\nTHREE\nfour\n');
  expect(textsOf(appendedLines(path, cursor))).toEqual(['one', 'two', 'THREE', 'four']);
  expect(appendedLines(`${path}.gone`, cursor)).toMatchObject({ restarted: true, lines: [] });
});

test('lines longer than a piece, and more than one call reads', () => {
  const path = join(temporaryFolder(), 'a.jsonl');
  const long = 'x'.repeat(3 << 20);
  writeFileSync(path, `${long}\nshort\n${long}\n`);
  let cursor: string | null = null;
  const texts: string[] = [];
  for (let more = true; more; ) {
    const read = appendedLines(path, cursor, 2 << 20);
    texts.push(...textsOf(read));
    cursor = read.cursor;
    ({ more } = read);
  }
  expect(texts.map(({ length }) => length)).toEqual([long.length, 5, long.length]);
});

test('a cursor that is none is the start', () => {
  const path = join(temporaryFolder(), 'a.jsonl');
  writeFileSync(path, 'one\n');
  for (const cursor of ['', 'x', '-1:0:0', '9'.repeat(40)]) {
    expect(textsOf(appendedLines(path, cursor))).toEqual(['one']);
  }
});
