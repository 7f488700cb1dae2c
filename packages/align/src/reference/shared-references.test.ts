import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { type AnswerKey, SharedReferences } from './reference-cache.ts';

const root = mkdtempSync(join(tmpdir(), 'keel-shared-references-'));
afterAll(() => rmSync(root, { recursive: true }));
const key: AnswerKey = {
  ...{ model: 'm', adapter: null, tokenizer: 't', precision: 'fp32 cpu', software: 's' },
};
const answerOf = (token: number) => ({
  prompt: [1, 2],
  answer: { tokens: [token], scored: [true] },
});
const folderOf = (name: string): string => join(root, name);

it('returns scores of earlier runs, for the same reference only', () => {
  const folder = folderOf('kept');
  const first = new SharedReferences(folder);
  first.save();
  expect(existsSync(folder)).toBe(false);
  first.of(key).add(answerOf(5), -1.25);
  first.of(key).add(answerOf(6), -0.1);
  expect(first.of({ ...key }).get(answerOf(5))).toBe(-1.25);
  first.save();
  first.save();
  expect(first.computed).toBe(2);

  const second = new SharedReferences(folder);
  expect(second.of(key).all([answerOf(5), answerOf(6)])).toEqual([-1.25, -0.1]);
  for (const other of [
    ...[{ model: 'n' }, { adapter: 'a' }, { tokenizer: 'u' }],
    ...[{ precision: 'bf16 cpu' }, { software: 'r' }],
  ]) {
    expect(second.of({ ...key, ...other }).size, JSON.stringify(other)).toBe(0);
  }
  second.of(key).add(answerOf(5), -9);
  second.of(key).add(answerOf(7), -3);
  second.save();
  expect(second.computed).toBe(1);
  expect(new SharedReferences(folder).of(key).get(answerOf(7))).toBe(-3);
});

it('keeps entries that another process has added in the meantime', () => {
  const folder = folderOf('two');
  const [one, other] = [new SharedReferences(folder), new SharedReferences(folder)];
  one.of(key).add(answerOf(5), -1);
  other.of(key).add(answerOf(6), -2);
  one.save();
  other.save();
  expect([one.computed, other.computed]).toEqual([1, 1]);
  expect(new SharedReferences(folder).of(key).all([answerOf(5), answerOf(6)])).toEqual([-1, -2]);
});

it('does not use a file that is damaged or truncated', () => {
  const folder = folderOf('damaged');
  const references = new SharedReferences(folder);
  references.of(key).add(answerOf(5), -1.25);
  references.save();
  const [name] = readdirSync(join(folder, 'reference'));
  const path = join(folder, 'reference', name!);
  const bytes = readFileSync(path);
  const damaged = Uint8Array.from(bytes);
  damaged[33]! ^= 1;
  for (const content of [damaged, bytes.subarray(0, -1), bytes.subarray(0, 31), Buffer.alloc(0)]) {
    writeFileSync(path, content);
    expect(new SharedReferences(folder).of(key).size).toBe(0);
  }
  writeFileSync(path, bytes);
  expect(new SharedReferences(folder).of(key).get(answerOf(5))).toBe(-1.25);
});
