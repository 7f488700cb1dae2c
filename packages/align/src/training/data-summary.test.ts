// What a run reports about its rows before the first step.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { type RunDataFacts, readRunDataFacts } from '../checking/run-data-facts.ts';
import { summaryLines } from '../checking/summary-lines.ts';
import { type AlignPairsOptions, alignPairs } from '../methods/dpo/run-dpo.ts';
import { cachedFolder } from '../testing/cached-folder.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../testing/tiny-chat-model.ts';

const folder = cachedFolder();
const inside = (name: string): string => join(folder, name);
let data: string;
beforeAll(() => {
  writeTinyChatModel(inside('model'));
  data = writeRowsFile(folder, tinyRows(10));
});

async function run(output: string, own: Partial<AlignPairsOptions> = {}) {
  const found: { facts: RunDataFacts; path: string | null }[] = [];
  const types: string[] = [];
  await alignPairs(
    {
      ...{ model: inside('model'), data: [data], output: inside(output), precision: 'fp32' },
      ...{ lora: true, loraRank: 2, batchSize: 4, threads: 1, maxSteps: 1, saveSteps: 1, ...own },
    },
    {
      onEvent(event) {
        types.push(event.type);
        if (event.type === 'data') found.push(event);
      },
    },
  );
  return { found: found[0]!, types };
}

it('is an event before the first step, and a file of the run folder', async () => {
  const { found, types } = await run('first');
  expect(types.filter((type) => type === 'data')).toHaveLength(1);
  expect(types.indexOf('data')).toBeLessThan(types.indexOf('start'));
  expect(found.path).toBe(inside('first/data.json'));
  expect(readRunDataFacts(inside('first'))).toEqual(found.facts);
  expect(found.facts).toMatchObject({
    training: { count: 10, total: 10 },
    heldOut: null,
    overlap: null,
    use: { training: { cut: 0, tooLong: 0, bad: 0 }, heldOut: null },
    warnings: [],
  });
  expect(summaryLines(found.facts)[0]).toMatch(/10 pairs/);
});

it('is written again by a resumed run, and not by a dry run', async () => {
  await run('resumed', { maxSteps: 1 });
  const { found } = await run('resumed', { maxSteps: 2, resume: true });
  expect(found.facts.training.count).toBe(10);
  const dry = await run('dry', { dryRun: true });
  expect(dry.found.path).toBeNull();
  expect(existsSync(inside('dry/data.json'))).toBe(false);
});

it('warns of held-out rows that are training rows, and counts rows that are skipped', async () => {
  const held = inside('held.jsonl');
  const [row] = tinyRows(1);
  const long = { prompt: 'hello '.repeat(200), chosen: 'a', rejected: 'b' };
  writeFileSync(held, [row, long, {}].map((one) => `${JSON.stringify(one)}\n`).join(''));
  const { found } = await run('leak', { evalData: [held], onBadRow: 'skip', maxLength: 64 });
  expect(found.facts).toMatchObject({
    heldOut: { count: 2 },
    overlap: { rows: { count: 1, examples: [{ row: `${held}:1`, earlier: `${data}:1` }] } },
    use: { heldOut: { tooLong: 1, bad: 1 } },
    warnings: [{ code: 'held-out-rows' }],
  });
  expect(found.facts.warnings[0]!.text).toContain(`${held}:1`);
});
