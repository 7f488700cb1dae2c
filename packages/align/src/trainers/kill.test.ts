// kill -9 at the worst moments: what is resumed afterwards ends in the bytes of a run that was left alone.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  watch,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSameRun } from './fixtures/run-files.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from './fixtures/tiny-chat-model.ts';
import type { AlignPairsOptions } from './run-dpo.ts';

const program = fileURLToPath(new URL('fixtures/align-child.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'keel-kill-'));
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

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  errors: string;
}

/** Runs in a process of its own; `begun` may kill it. */
function run(options: AlignPairsOptions, begun?: (child: ChildProcess) => void): Promise<Ended> {
  const child = spawn(process.execPath, [program, JSON.stringify(options)], {
    env: { ...process.env, KEEL_CACHE: join(folder, 'cache') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  begun?.(child);
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => done({ code, signal, errors }));
  });
}

/** Kills a run as soon as a change in `path` makes the condition true. */
async function runAndKill(
  options: AlignPairsOptions,
  path: string,
  condition: () => boolean,
): Promise<Ended> {
  mkdirSync(path, { recursive: true });
  const watcher = watch(path);
  try {
    return await run(options, (child) => {
      watcher.on('change', () => {
        if (child.exitCode === null && condition()) child.kill('SIGKILL');
      });
    });
  } finally {
    watcher.close();
  }
}

const killed = { code: null, signal: 'SIGKILL' };
const fine = { code: 0, signal: null };

describe('kill -9', () => {
  const whole = (): AlignPairsOptions => ({ ...base, output: join(folder, 'whole') });
  beforeAll(async () => {
    expect(await run(whole())).toMatchObject(fine);
  });

  it('in the middle of a step, before and after the first checkpoint', async () => {
    const options = { ...base, output: join(folder, 'in-a-step') };
    const metrics = join(options.output, 'metrics.jsonl');
    const lines = (): number =>
      existsSync(metrics) ? readFileSync(metrics, 'utf8').split('\n').length - 1 : 0;
    // The first line is the evaluation before the first step; checkpoints follow steps 4, 8, ….
    for (const [attempt, line] of [3, 8, 15].entries()) {
      const begun = lines();
      const ended = await runAndKill(
        { ...options, resume: attempt > 0 },
        options.output,
        () => lines() >= line,
      );
      expect(ended, ended.errors).toMatchObject(killed);
      expect(lines()).toBeGreaterThan(Math.min(begun, line - 1));
    }
    expect(existsSync(join(options.output, 'final'))).toBe(false);
    const ended = await run({ ...options, resume: true });
    expect(ended, ended.errors).toMatchObject(fine);
    expectSameRun(options.output, whole().output);
  });

  it('in the middle of writing a checkpoint', async () => {
    const options = { ...base, output: join(folder, 'in-a-checkpoint') };
    const checkpoints = join(options.output, 'checkpoints');
    const partials = (): string[] =>
      existsSync(checkpoints)
        ? readdirSync(checkpoints).filter((name) => /^\.step-\d+\.partial-/.test(name))
        : [];
    // The folder of checkpoints must be there to be watched: killed first after the first checkpoint.
    const metrics = join(options.output, 'metrics.jsonl');
    const first = await runAndKill(
      options,
      options.output,
      () => existsSync(metrics) && readFileSync(metrics, 'utf8').includes('"step":5'),
    );
    expect(first, first.errors).toMatchObject(killed);
    // The write may have ended before the signal came: then the next checkpoint is tried.
    let torn: string[] = [];
    while (torn.length === 0) {
      const ended = await runAndKill(
        { ...options, resume: true },
        checkpoints,
        () => partials().length > 0,
      );
      expect(ended, ended.errors).toMatchObject(killed);
      torn = partials();
    }
    expect(torn).toHaveLength(1);
    const ended = await run({ ...options, resume: true });
    expect(ended, ended.errors).toMatchObject(fine);
    expect(partials()).toEqual([]);
    expectSameRun(options.output, whole().output);
  });
});
