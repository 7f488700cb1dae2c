// kill -9 at the worst moments: the resumed run ends like an uninterrupted one, byte for byte.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AlignPairsOptions } from '../methods/dpo/run-dpo.ts';
import { Killing, killInCheckpoint, linesOf } from '../testing/killing.ts';
import { expectSameRun } from '../testing/run-files.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../testing/tiny-chat-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-kill-'));
const killing = new Killing('dpo', join(folder, 'cache'));
let base: Omit<AlignPairsOptions, 'output'>;
beforeAll(() => {
  const data = [writeRowsFile(folder, tinyRows(10))];
  base = {
    model: writeTinyChatModel(join(folder, 'model')),
    data,
    evalData: data,
    precision: 'fp32',
    learningRate: 1e-2,
    batchSize: 4,
    microBatchSize: 2,
    maxSteps: 24,
    saveSteps: 4,
    evalSteps: 6,
    lora: true,
    loraDropout: 0.2,
    threads: 1,
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('kill -9', () => {
  const whole = join(folder, 'whole');
  beforeAll(() => killing.toTheEnd({ ...base, output: whole }));

  it('in the middle of a step, before and after the first checkpoint', async () => {
    const options = { ...base, output: join(folder, 'in-a-step') };
    const lines = (): number => linesOf(join(options.output, 'metrics.jsonl'));
    // The first line is the evaluation before the first step; checkpoints follow steps 4, 8, ….
    for (const [attempt, line] of [3, 8, 15].entries()) {
      const begun = lines();
      await killing.kill(
        { ...options, resume: attempt > 0 },
        options.output,
        () => lines() >= line,
      );
      expect(lines()).toBeGreaterThan(Math.min(begun, line - 1));
    }
    expect(existsSync(join(options.output, 'final'))).toBe(false);
    await killing.toTheEnd({ ...options, resume: true });
    expectSameRun(options.output, whole);
  });

  it('in the middle of writing a checkpoint', async () => {
    await killInCheckpoint(killing, { ...base, output: join(folder, 'in-a-checkpoint') }, whole);
  });
});
