import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DerivedRows } from './derived-rows.ts';
import { openRows } from './open-rows.ts';
import { rankingPairs } from './ranking-pairs.ts';
import type { RankingRow } from './rows.ts';

const ranking = (ranks: number[], scores?: number[]): RankingRow => ({
  prompt: 'q',
  completions: ranks.map((_, at) => `answer ${at}`),
  ranks,
  ...(scores && { scores }),
  extra: {},
});
const named = (row: RankingRow, pairing: 'all' | 'best_worst' | 'adjacent'): string[] =>
  rankingPairs(row, pairing).map(
    ({ chosen, rejected }) => `${String(chosen).at(-1)}>${String(rejected).at(-1)}`,
  );

it('pairs every answer with every worse one, the best with the worst, or neighbours', () => {
  const row = ranking([2, 1, 3, 2]);
  expect(named(row, 'all')).toEqual(['0>2', '1>0', '1>2', '1>3', '3>2']);
  expect(named(row, 'best_worst')).toEqual(['1>2']);
  expect(named(row, 'adjacent')).toEqual(['0>2', '1>0', '1>3', '3>2']);
});

it('forms no pair of ties', () => {
  for (const pairing of ['all', 'best_worst', 'adjacent'] as const)
    expect(named(ranking([1, 1, 1]), pairing)).toEqual([]);
});

it("gives each pair its answers' scores", () => {
  const [pair] = rankingPairs(ranking([2, 1], [3, 7.5]), 'all');
  expect(pair).toMatchObject({ score_chosen: 7.5, score_rejected: 3 });
});

it('reads derived rows in any order, whichever source row they come from', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keel-derived-'));
  const path = join(folder, 'rankings.jsonl');
  const rows = [
    [1, 2, 3],
    [1, 1],
    [2, 1],
  ].map(({ length, ...ranks }, at) => ({
    prompt: `q${at}`,
    completions: Array.from({ length }, (_, place) => `a${place}`),
    ranking: Object.values(ranks),
  }));
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const open = async (pairing: 'all' | 'adjacent') =>
    DerivedRows.of(await openRows(path, { kind: 'ranking' }), {
      kind: 'preference',
      name: pairing,
      derive: (row) => rankingPairs(row, pairing),
    });
  await using pairs = await open('all');
  await using others = await open('adjacent');
  expect([pairs.length, others.length]).toEqual([4, 3]);
  const read = await pairs.readMany([3, 0, 2]);
  expect(read.map(({ prompt, chosen, rejected }) => `${prompt} ${chosen} ${rejected}`)).toEqual([
    ...['q2 a1 a0', 'q0 a0 a1', 'q0 a1 a2'],
  ]);
  expect(pairs.place(3).line).toBe(3);
  const iterated: string[] = [];
  for await (const { chosen, rejected } of pairs.iterate(1)) iterated.push(`${chosen}${rejected}`);
  expect(iterated).toEqual(['a0a2', 'a1a2', 'a1a0']);
  expect(await pairs.fingerprint()).not.toBe(await others.fingerprint());
  expect(() => pairs.place(4)).toThrow(RangeError);
  rmSync(folder, { recursive: true });
});
