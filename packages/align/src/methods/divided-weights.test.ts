// Runs whose weights are divided over the processes (`--shard full`) are those of one process.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ggufModel } from '@keel/model';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tinyConfigs } from '../../../model/src/loading/fixtures/tiny-models.ts';
import { metricsOf } from '../testing/run-files.ts';
import { distance, runTogether, trainTogether, weightsOf } from '../testing/run-together.ts';
import {
  loadTiny,
  tinyRows,
  writeRowsFile,
  writeTinyChatModel,
} from '../testing/tiny-chat-model.ts';
import type { Job } from '../testing/train-together.ts';
import { writePrompts } from './online/fixtures/prompt-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-divided-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const inside = (...names: string[]): string => join(folder, ...names);

const full = { shard: 'full' };
const common = {
  ...{ precision: 'fp32', batchSize: 4, microBatchSize: 1, maxSteps: 4, learningRate: 1e-2 },
  ...{ threads: 1, scheduler: 'constant', saveSteps: '2', shuffle: false },
  // The norm for clipping is added in another order.
  ...{ maxGradNorm: 'none', data: [inside('rows.jsonl')], evalData: [inside('rows.jsonl')] },
};

/** Of a tied and an untied model, with all weights or an adapter. */
const runs: Record<string, Job> = {
  tied: { verb: 'dpo', flags: { model: inside('tied') } },
  untied: { verb: 'dpo', flags: { model: inside('untied') } },
  adapter: {
    verb: 'dpo',
    flags: { model: inside('tied'), lora: true, loraRank: 4, loraDropout: 0.1 },
  },
  reward: { verb: 'reward', flags: { model: inside('untied'), lmWeight: 0.1 } },
  reference: { verb: 'dpo', flags: { model: inside('tied'), reference: inside('untied') } },
  positions: { verb: 'dpo', flags: { model: inside('gpt2') } },
  nf4: {
    verb: 'dpo',
    flags: { model: inside('wide'), basePrecision: 'nf4', lora: true, loraRank: 4 },
  },
  kept: {
    verb: 'dpo',
    flags: {
      ...{ model: inside('wide.gguf'), basePrecision: 'kept', lora: true, loraRank: 4 },
      ...{ samplePrompts: 2, sampleTokens: 6 },
    },
  },
  best: {
    verb: 'dpo',
    flags: {
      ...{ model: inside('tied'), learningRate: 0.1, evalSteps: 1, bestMetric: 'eval_loss' },
      ...{ samplePrompts: 2, sampleTokens: 6 },
    },
  },
};
const jobOf = (name: string, output: string, more: object = {}): Job => {
  const { verb, flags } = runs[name]!;
  const samples = verb === 'reward' ? {} : { samplePrompts: 'none' };
  return { verb, flags: { ...common, ...samples, ...flags, output, ...more } };
};

beforeAll(async () => {
  writeTinyChatModel(inside('tied'), 1, { ...tinyConfigs.llama, tie_word_embeddings: true });
  writeTinyChatModel(inside('untied'));
  writeTinyChatModel(inside('gpt2'), 1, tinyConfigs.gpt2);
  const sizes = { hidden_size: 64, intermediate_size: 128, head_dim: 16 };
  writeTinyChatModel(inside('wide'), 1, { ...tinyConfigs.llama, ...sizes });
  const wide = await loadTiny(inside('wide'), 'float32');
  const lineage = {
    ...{ name: 'wide', license: null, methods: [], adapterSha256: null },
    base: { name: 'wide', repository: null, sha256: 'ab' },
  };
  ggufModel(wide, { type: 'q8_0', lineage }).write(inside('wide.gguf'));
  wide.dispose();
  writeRowsFile(folder, tinyRows(8));
  const named = (into: string, more = {}): Job[] =>
    Object.keys(runs).map((name) => jobOf(name, inside(into, name), more));
  await trainTogether(folder, 1, named('1'));
  await trainTogether(folder, 4, named('4', full));
  await trainTogether(folder, 2, [jobOf('best', inside('2', 'best'))]);
}, 180_000);

it.each(Object.keys(runs))('%s: four passes in four processes have the bytes of one', (name) => {
  const [one, four] = ['1', '4'].map((own) => inside(own, name));
  expect(metricsOf(four!).length).toBe(metricsOf(one!).length);
  for (const [at, row] of metricsOf(one!).entries()) {
    for (const [key, value] of Object.entries(row)) {
      const found = metricsOf(four!)[at]![key]!;
      expect(Math.abs(found - value), key).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)));
    }
  }
  const [expected, found] = [one!, four!].map((run) => Buffer.from(weightsOf(run).buffer));
  expect(found!.length).toBeGreaterThan(1000);
  expect(found!.equals(expected!)).toBe(true);
});

it('answers sample prompts, and takes the weights of the best evaluation', () => {
  const [one, four] = ['1', '4'].map((own) => inside(own, 'best'));
  const answers = (run: string): string => readFileSync(join(run, 'answers.jsonl'), 'utf8');
  expect(answers(four!)).toBe(answers(one!));
  expect(answers(one!).trim().split('\n').length).toBeGreaterThan(4);
  const two = inside('2', 'best');
  for (const run of [two, four!]) {
    expect(readdirSync(join(run, 'best'))).toEqual(readdirSync(join(one!, 'best')));
  }
  expect(distance(weightsOf(two), weightsOf(one!))).toBeLessThan(1e-5);
  expect(readdirSync(inside('tmp'))).toEqual([]);
});

it('divides a reward model that is loaded apart', async () => {
  const prompts = [writePrompts(folder)];
  const job = (output: string, shard: string): Job => {
    const own = { reward: inside('1', 'reward', 'final'), maxNewTokens: 6, numGenerations: 2 };
    const flags = { ...common, ...own, shard, output, model: inside('tied'), lora: true };
    return { verb: 'grpo', flags: { ...flags, data: prompts, evalData: prompts, loraRank: 4 } };
  };
  const [whole, divided] = ['reward none', 'reward full'].map((name) => inside(name));
  await trainTogether(folder, 4, [job(whole!, 'none'), job(divided!, 'full')]);
  const [expected, found] = [whole!, divided!].map((run) => Buffer.from(weightsOf(run).buffer));
  expect(found!.equals(expected!)).toBe(true);
  const rewards = (run: string) => metricsOf(run).map(({ reward }) => reward);
  expect(rewards(divided!)).toEqual(rewards(whole!));
  expect(new Set(rewards(whole!)).size).toBeGreaterThan(1);
}, 60_000);

it('writes a whole checkpoint, that any number of processes and any shard resumes', async () => {
  const whole = inside('whole');
  const started = ['one', 'two', 'three'].map((name) => inside(`resumed ${name}`));
  const short = { maxSteps: 2 };
  await trainTogether(folder, 1, [jobOf('tied', whole), jobOf('tied', started[0]!, short)]);
  await trainTogether(folder, 2, [
    jobOf('tied', started[1]!, { ...short, ...full }),
    jobOf('tied', started[2]!, { ...short, ...full }),
    jobOf('tied', started[0]!, { resume: true, ...full }),
  ]);
  const states = [whole, ...started].map((run) =>
    readFileSync(join(run, 'checkpoints', 'step-2', 'trainer_state.safetensors')),
  );
  expect(new Set(states.map(({ length }) => length)).size).toBe(1);
  await trainTogether(folder, 1, [jobOf('tied', started[1]!, { resume: true })]);
  await trainTogether(folder, 3, [
    jobOf('tied', started[2]!, { resume: true, shard: 'optimizer' }),
  ]);
  for (const run of started) {
    expect(metricsOf(run).at(-1)!.step).toBe(4);
    expect(distance(weightsOf(run), weightsOf(whole)), run).toBeLessThan(1e-6);
  }
}, 120_000);

it.each([
  ['one process', 1, {}, /--shard full divides weights.*there is only one/],
  ['stored activations', 2, { gradientCheckpointing: 'off' }, /gradient-checkpointing off is not/],
] as const)(
  'is refused with %s',
  async (_, processes, more, message) => {
    const job = jobOf('tied', inside('refused'), { ...full, ...more });
    const { exitCode, said } = await runTogether(folder, processes, [job]);
    expect(exitCode).not.toBe(0);
    expect(said[0]).toMatch(message);
  },
  30_000,
);

it('names a weight that is not finite, whichever process has it', async () => {
  const job = jobOf('untied', inside('broken'), { ...full, learningRate: 1e30, maxSteps: 2 });
  const { exitCode, said } = await runTogether(folder, 2, [job]);
  expect(exitCode).not.toBe(0);
  for (const lines of said) expect(lines).toMatch(/is not finite|is (NaN|Infinity|-Infinity)/);
}, 30_000);
