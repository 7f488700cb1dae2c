// Runs in 2 and 4 processes give the metrics and the weights of a run in one.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchProcesses } from '@keel/torch/launch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricsOf } from '../testing/run-files.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../testing/tiny-chat-model.ts';
import { tinyExamples, writeExamples } from '../testing/tiny-examples.ts';
import { tinyJudged, writeJudged } from '../testing/tiny-judged.ts';
import type { Job } from '../testing/train-together.ts';
import { writePrompts } from './online/fixtures/prompt-files.ts';
import { methodVerbs } from './verbs.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-processes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const program = fileURLToPath(new URL('../testing/train-together.ts', import.meta.url));
const inside = (...names: string[]): string => join(folder, ...names);

const common = {
  ...{ precision: 'fp32', loraRank: 4, batchSize: 4, maxSteps: 3, learningRate: 1e-2 },
  ...{ threads: 1, scheduler: 'constant', saveSteps: '3', lora: true },
};
const sampled = { maxNewTokens: 8, batchSize: 4 };

interface Case {
  name: string;
  verb: string;
  flags: Record<string, unknown>;
}

/** With the moments divided among the processes, where there are several. */
const sharded = ['sft', 'dpo of all weights', 'dpo, clipped', 'grpo'];

async function train(processes: number, jobs: readonly Job[]): Promise<void> {
  const file = inside(`jobs-${jobFiles++}.json`);
  writeFileSync(file, JSON.stringify(jobs));
  const said: string[] = [];
  const { exitCode } = await launchProcesses(process.execPath, [program, file], {
    ...{ processes, threads: 1, env: { ...process.env, TMPDIR: inside('tmp') } },
    onLine: (rank, line) => said.push(`[${rank}] ${line}`),
  });
  expect(exitCode, said.join('\n')).toBe(0);
}
let jobFiles = 0;

let cases: Case[] = [];
beforeAll(async () => {
  const model = writeTinyChatModel(inside('model'));
  const pairs = writeRowsFile(folder, tinyRows(12));
  const judged = writeJudged(folder, tinyJudged(12));
  const examples = writeExamples(folder, tinyExamples(12));
  const prompts = writePrompts(folder);
  const reward = inside('letters.mjs');
  writeFileSync(reward, 'export default ({ text }) => (text.length % 7) / 7;\n');
  mkdirSync(inside('tmp'));
  const thumbs = inside('thumbs.jsonl');
  const rankings = inside('rankings.jsonl');
  const lines = (rows: readonly object[]): string =>
    rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(
    thumbs,
    lines(
      tinyRows(12).map(({ prompt, chosen }, at) => ({
        prompt,
        completion: chosen,
        label: at % 3 > 0,
      })),
    ),
  );
  writeFileSync(
    rankings,
    lines(
      ['hello', 'day', 'x', 'wo'].map((prompt) => ({
        ...{ prompt, completions: [' one', ' two day', ' world'], ranking: [2, 1, 3] },
      })),
    ),
  );
  const onPairs = { model, data: [pairs], evalData: [pairs] };
  const online = { model, data: [prompts], reward, ...sampled };
  cases = [
    {
      name: 'sft',
      verb: 'sft',
      flags: { model, data: [examples], evalData: [examples], neftuneAlpha: 5, microBatchSize: 1 },
    },
    {
      name: 'dpo with dropout',
      verb: 'dpo',
      flags: { ...onPairs, loraDropout: 0.2, microBatchSize: 1 },
    },
    {
      name: 'dpo of all weights',
      verb: 'dpo',
      flags: { ...onPairs, lora: false, learningRate: 1e-4 },
    },
    // A gradient norm of more than the maximum, so that it is clipped
    { name: 'dpo, clipped', verb: 'dpo', flags: { ...onPairs, maxGradNorm: 0.05 } },
    { name: 'dpo, aot', verb: 'dpo', flags: { ...onPairs, loss: ['aot'] } },
    { name: 'dpo, bco_pair', verb: 'dpo', flags: { ...onPairs, loss: ['bco_pair'] } },
    {
      name: 'dpo on rankings',
      verb: 'dpo',
      flags: { model, data: [rankings], loss: ['plackett_luce'] },
    },
    { name: 'kto', verb: 'kto', flags: { model, data: [thumbs], evalData: [thumbs] } },
    { name: 'kto, bco', verb: 'kto', flags: { model, data: [thumbs], loss: 'bco' } },
    { name: 'reward', verb: 'reward', flags: { model, data: [judged], evalData: [judged] } },
    ...methodVerbs
      .map(({ name }) => name)
      .filter((name) => !['sft', 'dpo', 'kto', 'reward'].includes(name))
      .map((verb) => ({
        name: verb,
        verb,
        flags: { ...online, ...(verb === 'grpo' && { numGenerations: 2 }) },
      })),
  ];
  for (const count of [1, 2, 4]) {
    await train(
      count,
      cases.map(({ name, verb, flags }): Job => {
        const own = {
          ...common,
          ...(count > 1 && sharded.includes(name) && { shard: 'optimizer' }),
          ...(verb !== 'reward' && { samplePrompts: 'none' }),
        };
        return { verb, flags: { ...own, ...flags, output: inside(`${count}`, name) } };
      }),
    );
  }
}, 300_000);

const far = (a: number, b: number): number => Math.abs(a - b) / Math.max(1, Math.abs(a));

/** All weights of a result, one after the other. */
function weightsOf(run: string): Float32Array {
  const [file] = ['adapter_model.safetensors', 'model.safetensors']
    .map((name) => join(run, 'final', name))
    .filter((path) => existsSync(path));
  const bytes = readFileSync(file!);
  const header = 8 + Number(bytes.readBigUInt64LE(0));
  return new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + header, bytes.byteOffset + bytes.length),
  );
}

/** Of two vectors, relative to the second's length. */
const distance = (found: Float32Array, expected: Float32Array): number =>
  Math.hypot(...expected.map((value, at) => value - found[at]!)) / Math.hypot(...expected);

describe.each([2, 4])('%i processes', (count) => {
  it('have the metrics of one', () => {
    for (const { name } of cases) {
      const [one, several] = ['1', `${count}`].map((own) => metricsOf(inside(own, name)));
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
      const [one, several] = ['1', `${count}`].map((own) => weightsOf(inside(own, name)));
      expect(several!.length, name).toBe(one!.length);
      expect(distance(several!, one!), name).toBeLessThan(1e-5);
    }
  });

  it('leave nothing but the run folders', () => {
    const [one, several] = ['1', `${count}`].map((own) =>
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
    readFileSync(
      inside(own, 'dpo of all weights', 'checkpoints', 'step-3', 'trainer_state.safetensors'),
    ),
  );
  expect(new Set(states.map(({ length }) => length)).size).toBe(1);
});

it('a run goes on in another number of processes, with the moments divided or not', async () => {
  const { verb, flags } = cases.find(({ name }) => name === 'dpo of all weights')!;
  const job = (output: string, more: object): Job => {
    const own = { ...common, samplePrompts: 'none', ...flags, maxSteps: 5, output, ...more };
    return { verb, flags: own };
  };
  const whole = inside('whole');
  const [one, two] = ['1', '2'].map((own) => inside(own, 'dpo of all weights'));
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
  const flags = { ...common, samplePrompts: 'none', model: inside('model'), data: ['rows.jsonl'] };
  const file = inside('jobs-other-data.json');
  writeFileSync(
    file,
    JSON.stringify([{ verb: 'dpo', flags: { ...flags, output: inside('other') } }]),
  );
  const said: string[][] = [[], []];
  const script = 'cd "$1/rank-$RANK" && exec "$2" "$3" "$4"';
  const args = ['-c', script, 'sh', folder, process.execPath, program, file];
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
