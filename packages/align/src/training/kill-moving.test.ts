// kill -9 of runs with a moving reference: before a move, after one, in a checkpoint.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AlignPairsOptions } from '../methods/dpo/run-dpo.ts';
import { Killing, killInCheckpoint, linesOf } from '../testing/killing.ts';
import { expectSameRun, metricsOf } from '../testing/run-files.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { tinyRun } from '../testing/tiny-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-kill-moving-'));
const killing = new Killing('dpo', join(folder, 'cache'));
const whole = join(folder, 'whole');
let base: Omit<AlignPairsOptions, 'output'>;
beforeAll(async () => {
  const data = [writeRowsFile(folder, tinyRows(8))];
  base = {
    ...tinyRun,
    ...{ model: writeTinyChatModel(join(folder, 'model')), data, evalData: data, lora: true },
    // A checkpoint every 4 steps and a move every 3: checkpoints fall between, before and after.
    ...{ loraRank: 4, loraDropout: 0.2, referenceSyncSteps: 3, referenceMix: 0.7 },
    ...{ maxSteps: 24, saveSteps: 4, evalSteps: 12 },
  };
  await killing.toTheEnd({ ...base, output: whole });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('killed in a step, it ends like the uninterrupted run', async () => {
  const options = { ...base, output: join(folder, 'in-a-step') };
  const lines = (): number => linesOf(join(options.output, 'metrics.jsonl'));
  for (const [attempt, least] of [6, 11, 17].entries()) {
    const moment = (): boolean => lines() >= least;
    await killing.kill({ ...options, resume: attempt > 0 }, options.output, moment);
  }
  await killing.toTheEnd({ ...options, resume: true });
  expectSameRun(options.output, whole);
  const last = metricsOf(whole)
    .filter(({ loss }) => loss !== undefined)
    .at(-1)!;
  expect(last['reference/moves']).toBe(7);
});

it('killed while writing a checkpoint, it does too', async () => {
  await killInCheckpoint(killing, { ...base, output: join(folder, 'in-a-checkpoint') }, whole);
});
