// Runs in 2 and 4 processes give the metrics and the weights of a run in one.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchProcesses } from '@keel/torch/launch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MethodRun, writeMethodRuns } from '../testing/method-runs.ts';
import { metricsOf } from '../testing/run-files.ts';
import {
  distance,
  runTogether,
  togetherProgram,
  trainTogether,
  weightsOf,
} from '../testing/run-together.ts';
import { tinyRows, writeRowsFile } from '../testing/tiny-chat-model.ts';
import type { Job } from '../testing/train-together.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-processes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const inside = (...names: string[]): string => join(folder, ...names);

const common = {
  ...{ precision: 'fp32', batchSize: 4, maxSteps: 3, learningRate: 1e-2, saveSteps: '3' },
  ...{ threads: 1, scheduler: 'constant', model: inside('model') },
};

/** With the moments divided among the processes, where there are several. */
const sharded = ['sft, LoRA', 'dpo, full', 'dpo, clipped', 'grpo', 'ppo'];

const train = (processes: number, jobs: readonly Job[]): Promise<void> =>
  trainTogether(folder, processes, jobs);

let cases: MethodRun[] = [];
const optionsOf = (name: string): MethodRun['options'] =>
  cases.find((one) => one.name === name)!.options;

beforeAll(async () => {
  const reward = inside('letters.mjs');
  writeFileSync(reward, 'export default ({ text }) => (text.length % 7) / 7;\n');
  const runs = writeMethodRuns(folder).filter(({ name }) => !name.includes('recomputed'));
  cases = runs.map((run) => {
    const online = 'reward' in run.options;
    return online ? { ...run, options: { ...run.options, reward, maxNewTokens: 8 } } : run;
  });
  const more = (name: string, of: string, own: object): MethodRun => {
    const { verb, options } = cases.find((one) => one.name === of)!;
    return { name, verb, options: { ...options, ...own } };
  };
  // Random numbers of a pass depend on its rows.
  const single = { microBatchSize: 1 };
  cases.push(
    more('sft with noise', 'sft, LoRA', { neftuneAlpha: 5, ...single }),
    more('dpo with dropout', 'dpo, LoRA', { loraDropout: 0.2, ...single }),
    more('dpo, clipped', 'dpo, LoRA', { maxGradNorm: 0.05 }),
    more('dpo, aot', 'dpo, LoRA', { loss: ['aot'] }),
    more('dpo, bco_pair', 'dpo, LoRA', { loss: ['bco_pair'] }),
    more('kto, bco', 'kto, LoRA', { loss: 'bco' }),
  );
  for (const count of [1, 2, 4]) {
    const jobOf = ({ name, verb, options }: MethodRun, into: string, shard = {}): Job => {
      const samples = verb !== 'reward' && { samplePrompts: 'none' };
      const output = inside(into, name);
      return { verb, flags: { ...common, ...samples, ...shard, ...options, output } };
    };
    const all = cases.map((one) => {
      const shard = count > 1 && sharded.includes(one.name) ? { shard: 'optimizer' } : {};
      return jobOf(one, `${count}`, shard);
    });
    // Two processes train once more, with all weights divided.
    const full = (count === 2 ? cases : []).map((one) =>
      jobOf(one, `${count} full`, { shard: 'full' }),
    );
    await train(count, [...all, ...full]);
  }
}, 600_000);

const far = (a: number, b: number): number => Math.abs(a - b) / Math.max(1, Math.abs(a));

describe.each(['2', '4', '2 full'])('%s processes', (count) => {
  it('have the metrics of one', () => {
    for (const { name } of cases) {
      const [one, several] = ['1', count].map((own) => metricsOf(inside(own, name)));
      expect(one!.length, name).toBeGreaterThan(2);
      expect(several!.length, name).toBe(one!.length);
      expect(Math.max(...one!.map((row) => row.grad_norm ?? 0)), name).toBeGreaterThan(1e-4);
      for (const [at, row] of one!.entries()) {
        expect(Object.keys(several![at]!).sort(), name).toEqual(Object.keys(row).sort());
        for (const [key, value] of Object.entries(row)) {
          expect(far(value, several![at]![key]!), `${name}, ${key}`).toBeLessThan(1e-5);
        }
      }
    }
  });

  it('have the weights of one', () => {
    for (const { name } of cases) {
      const [one, several] = ['1', count].map((own) => weightsOf(inside(own, name)));
      expect(several!.length, name).toBe(one!.length);
      expect(distance(several!, one!), name).toBeLessThan(1e-5);
    }
  });

  it('leave nothing but the run folders', () => {
    const [one, several] = ['1', count].map((own) =>
      readdirSync(inside(own), { recursive: true })
        .map(String)
        .filter((path) => !path.includes('events.out.tfevents'))
        .sort(),
    );
    expect(several).toEqual(one);
    expect(readdirSync(inside('tmp'))).toEqual([]);
  });
});

it('checkpoints are whole, whether the moments are divided or not', () => {
  const states = ['1', '2', '4'].map((own) =>
    readFileSync(inside(own, 'dpo, full', 'checkpoints', 'step-3', 'trainer_state.safetensors')),
  );
  expect(new Set(states.map(({ length }) => length)).size).toBe(1);
});

it('every method sends gradients while backward runs', async () => {
  const names = ['sft, LoRA', 'dpo, full', 'dpo on rankings, LoRA', 'kto, LoRA', 'reward, full'];
  const verbs = ['ppo', 'grpo', 'online-dpo', 'd2po', 'raft'];
  const jobs = [...names, ...verbs].map((name): Job => {
    const { verb, options } = cases.find((one) => one.name === name)!;
    const samples = verb !== 'reward' && { samplePrompts: 'none' };
    const shard = sharded.includes(name) ? 'optimizer' : 'none';
    const own = { maxSteps: 2, saveSteps: 'none', output: inside('early', name), shard };
    return { verb, flags: { ...common, ...samples, ...options, ...own }, tellsEarly: true };
  });
  const { exitCode, said } = await runTogether(folder, 2, jobs);
  expect(exitCode, said.join('\n')).toBe(0);
  // Rank 0 has passes in every step.
  const found = said[0]!.split('\n').filter((line) => line.startsWith('early: '));
  expect(found, said[0]!).toEqual(jobs.map(() => 'early: 1'));
}, 120_000);

it('a run goes on in another number of processes, with the moments divided or not', async () => {
  const job = (output: string, more: object): Job => {
    const own = { ...optionsOf('dpo, full'), maxSteps: 5, output, ...more };
    return { verb: 'dpo', flags: { ...common, samplePrompts: 'none', ...own } };
  };
  const whole = inside('whole');
  const [one, two] = ['1', '2'].map((own) => inside(own, 'dpo, full'));
  const resume = { resume: true };
  await train(1, [job(whole, {}), job(two!, resume)]);
  await train(4, [job(one!, { ...resume, shard: 'optimizer' })]);
  const expected = weightsOf(whole);
  for (const found of [one!, two!]) {
    expect(metricsOf(found).at(-1)!.step).toBe(5);
    expect(distance(weightsOf(found), expected)).toBeLessThan(1e-7);
  }
}, 60_000);

it('a process with other data than rank 0 is refused, in all of them', async () => {
  const [rows] = [tinyRows(12)];
  for (const rank of [0, 1]) {
    mkdirSync(inside(`rank-${rank}`));
    writeRowsFile(inside(`rank-${rank}`), rows.slice(rank));
  }
  const flags = { ...common, samplePrompts: 'none', data: ['rows.jsonl'] };
  const file = inside('jobs-other-data.json');
  writeFileSync(
    file,
    JSON.stringify([{ verb: 'dpo', flags: { ...flags, output: inside('other') } }]),
  );
  const said: string[][] = [[], []];
  const script = 'cd "$1/rank-$RANK" && exec "$2" "$3" "$4"';
  const args = ['-c', script, 'sh', folder, process.execPath, togetherProgram, file];
  const { exitCode } = await launchProcesses('/bin/sh', args, {
    ...{ processes: 2, threads: 1, env: { ...process.env, TMPDIR: inside('tmp') } },
    onLine: (rank, line) => said[rank]!.push(line),
  });
  expect(exitCode).not.toBe(0);
  for (const lines of said)
    expect(lines.join('\n')).toMatch(/rank 0 differ in --data \(rows\.jsonl\)/);
}, 60_000);

it('four passes in four processes and in one give the same bytes', () => {
  // One row a pass: the sum of gradients has the same order.
  const [one, four] = ['1', '4'].map((own) => weightsOf(inside(own, 'dpo with dropout')));
  expect(Buffer.from(four!.buffer).equals(Buffer.from(one!.buffer))).toBe(true);
});
