import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NoVerdict, PairVerdict } from '@keel/align/judges';
import { afterAll, expect, test } from 'vitest';
import { openJudge } from './open-judge.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-labels-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const rows = (...all: object[]): string => {
  const path = join(folder, 'labels.jsonl');
  writeFileSync(path, all.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
};
const row = (prompt: string, first: string, second: string, labels: unknown) => ({
  ...{ prompt, response_1: first, response_2: second, labels },
});
const pair = (prompt: unknown, first: unknown, second: unknown) =>
  ({ prompt, answers: [first, second], extra: {} }) as never;

test('says what people said of the pair, in either order', async () => {
  const file = rows(
    row('p', 'a', 'b', { x: 1, y: 1, z: 2, w: 0 }),
    row('q', 'a', 'b', { x: 2 }),
    row('p', 'b', 'a', [2]),
  );
  await using judge = await openJudge(`labels:${file}`);
  expect(judge.seesOrder).toBe(false);
  // Three for a, one for b and a tie.
  const verdict = (await judge.compare!(pair('p', 'a', 'b'))) as PairVerdict;
  expect(verdict.first).toBeCloseTo(3.5 / 5, 12);
  expect(verdict.tie).toBeCloseTo(1 / 5, 12);
  const swapped = (await judge.compare!(pair('p', 'b', 'a'))) as PairVerdict;
  expect(swapped.first).toBeCloseTo(1 - verdict.first, 12);
  const turn = (role: string, content: string) => [{ role, content }];
  const chat = pair(turn('user', 'q'), turn('assistant', 'a'), turn('assistant', 'b'));
  expect(await judge.compare!(chat)).toMatchObject({ first: 0, tie: 0 });
});

test('tells calls apart, and tools where the labels have them', async () => {
  const call = (city: string) => [
    { role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: { city } } }] },
  ];
  const [oslo, rome] = [call('Oslo'), call('Rome')];
  const chat = (text: string) => [{ role: 'user', content: text }];
  const tools = [{ type: 'function', function: { name: 'f' } }];
  const file = rows(
    { prompt: chat('q'), response_1: oslo, response_2: rome, labels: [1], tools },
    { prompt: chat('q'), response_1: rome, response_2: oslo, labels: [1] },
  );
  await using judge = await openJudge(`labels:${file}`);
  const asked = pair(chat('q'), oslo, rome) as object;
  const rendering = { tools, variables: {} };
  expect(await judge.compare!({ ...asked, rendering } as never)).toMatchObject({ first: 1 });
  expect(await judge.compare!(asked as never)).toMatchObject({ first: 0 });
});

test('has no verdict on pairs without labels', async () => {
  const file = rows(row('p', 'a', 'b', [1]));
  await using judge = await openJudge(`labels:${file}`);
  for (const other of [pair('p', 'a', 'c'), pair('r', 'a', 'b')]) {
    expect(((await judge.compare!(other)) as NoVerdict).failed).toContain(file);
  }
});

test('identical answers are one pair', async () => {
  const file = rows(row('p', 'a', 'a', [1, 0]));
  await using judge = await openJudge(`labels:${file}`);
  expect(await judge.compare!(pair('p', 'a', 'a'))).toMatchObject({ first: 0.75, tie: 0.5 });
});

test('a bad label is an error with its place', async () => {
  const file = rows(row('p', 'a', 'b', [1]), row('q', 'a', 'b', [3]));
  await expect(openJudge(`labels:${file}`)).rejects.toThrow(/labels\.jsonl:2.*labels/s);
  await expect(openJudge('labels:absent.jsonl')).rejects.toThrow(/absent\.jsonl/);
});
