// Online runs whose answers come from a server with the documented bodies.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSafetensors } from '@keel/model';
import { setThreads } from '@keel/torch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  openScriptedServer,
  type ScriptedServer,
  type ScriptedServerOptions,
} from '../../rollouts/servers/testing/scripted-server.ts';
import { expectSameRun, metricsOf } from '../../testing/run-files.ts';
import { stopping } from '../../testing/stopping.ts';
import { writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import type { RunHooks, RunResult } from '../../training/run-training.ts';
import { type TrainGrpoOptions, trainGrpo } from '../grpo/grpo.ts';
import { trainOnlineDpo } from '../online-dpo/online-dpo.ts';
import { trainPpo } from '../ppo/ppo.ts';
import { trainRaft } from '../raft/raft.ts';
import { trainReinforce } from '../reinforce/reinforce.ts';
import { trainRemax } from '../remax/remax.ts';
import { trainRloo } from '../rloo/rloo.ts';
import { writePrompts, writeRewardModule } from './fixtures/prompt-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-served-'));
const inside = (name: string): string => join(folder, name);
let data: string;
let reward: string;
let runs = 0;
beforeAll(() => {
  setThreads(1);
  writeTinyChatModel(inside('model'));
  data = writePrompts(folder);
  reward = writeRewardModule(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const optionsOf = (own: Partial<TrainGrpoOptions> = {}): TrainGrpoOptions => ({
  ...{ model: inside('model'), data: [data], output: inside(`run-${runs++}`), reward },
  ...{ precision: 'fp32', learningRate: 1e-2, batchSize: 4, loraRank: 4, threads: 1 },
  ...{ maxNewTokens: 6, maxSteps: 4, scheduler: 'constant' },
  ...own,
});
const open = (own: Partial<ScriptedServerOptions> = {}): Promise<ScriptedServer> =>
  openScriptedServer({ kind: 'vllm', ...own });

/** The adapter's weights in a folder, as they are when the server is asked to load it. */
function weightsIn(path: string): string {
  expect(JSON.parse(readFileSync(join(path, 'adapter_config.json'), 'utf8'))).toMatchObject({
    ...{ peft_type: 'LORA', r: 4 },
  });
  using file = openSafetensors(join(path, 'adapter_model.safetensors'));
  const bytes = file
    .names()
    .sort()
    .map((name) => file.read(name));
  return createHash('sha256').update(Buffer.concat(bytes)).digest('hex');
}

describe('the policy', () => {
  it('goes over as an adapter, one version for each batch', async () => {
    const loaded: { name: string; path: string; weights: string }[] = [];
    const most: number[] = [];
    await using server = await open({
      instead({ path, body }) {
        if (path === '/v1/load_lora_adapter') {
          const { lora_name: name, lora_path: at } = body as Record<string, string>;
          loaded.push({ name: name!, path: at!, weights: weightsIn(at!) });
        }
        if (path === '/v1/completions') most.push(server.adapters.size);
        return null;
      },
    });
    const { path } = await trainGrpo(
      optionsOf({ rollouts: [server.url], numIterations: 2, maxSteps: 5 }),
    );
    // Two steps on each batch.
    expect(loaded.map(({ name }) => name.replace(/-[0-9a-f]{6}-[0-9a-f]{4}-/, '-'))).toEqual([
      ...['policy-0', 'policy-2', 'policy-4'],
    ]);
    for (const one of loaded) expect(one.path).toBe(join(path, 'rollout-adapters', one.name));
    expect(new Set(loaded.map(({ weights }) => weights)).size).toBe(3);
    const asked = server.requests.flatMap(({ path: to, body }) =>
      to === '/v1/completions' ? [body.model] : [],
    );
    expect(asked.slice(1)).toEqual(loaded.flatMap(({ name }) => [name, name, name, name]));
    // An old version is there no longer than the new one takes.
    expect(Math.max(...most)).toBe(1);
    expect([...server.adapters]).toEqual([]);
    expect(readdirSync(join(path, 'rollout-adapters'))).toEqual([]);
    expect(metricsOf(path).map((row) => row['rollouts/staleness'])).toEqual([0, 0, 0, 0, 0]);
  });

  it('has no adapter as the reference: its answers are those of the base', async () => {
    await using server = await open();
    await trainGrpo(optionsOf({ rollouts: [server.url], rewardShape: 'sigmoid', maxSteps: 1 }));
    const asked = server.requests.flatMap(({ path, body }) =>
      path === '/v1/completions' ? [[body.model, body.n]] : [],
    );
    expect(asked.slice(1).filter(([model]) => model === 'base')).toEqual(
      Array.from({ length: 4 }, () => ['base', 1]),
    );
    expect(asked.slice(1).filter(([model]) => model !== 'base')).toHaveLength(4);
  });

  it('is next to its start, which stays the same, where a run starts from an adapter', async () => {
    await using server = await open();
    const start = await trainGrpo(optionsOf({ maxSteps: 1 }));
    const loaded: string[] = [];
    const again = await trainGrpo(
      optionsOf({
        ...{ rollouts: [server.url], rewardShape: 'sigmoid', maxSteps: 2 },
        ...{ adapter: start.final, rolloutAdapters: inside('shared-adapters') },
      }),
    );
    expect(again.step).toBe(2);
    for (const { path, body } of server.requests) {
      if (path === '/v1/load_lora_adapter') loaded.push(body.lora_name as string);
    }
    expect(loaded.map((name) => name.replace(/-[0-9a-f]{6}-[0-9a-f]{4}-/, '-'))).toEqual([
      ...['policy-0', 'start-0', 'policy-1'],
    ]);
    expect(readdirSync(inside('shared-adapters'))).toEqual([]);
  });

  it('leaves nothing on servers and in the folder, also where it was killed before', async () => {
    await using server = await open();
    const options = optionsOf({ maxSteps: 1, rolloutAdapters: inside('left') });
    const run = createHash('sha256').update(options.output).digest('hex').slice(0, 6);
    const [own, other] = [`policy-${run}-abcd-7`, 'policy-000000-abcd-7'];
    for (const name of [own, other]) {
      mkdirSync(join(inside('left'), name), { recursive: true });
      await fetch(`${server.url}/v1/load_lora_adapter`, {
        ...{ method: 'POST', body: JSON.stringify({ lora_name: name, lora_path: 'x' }) },
      });
    }
    await trainGrpo({ ...options, rollouts: [server.url] });
    expect([...server.adapters.keys()]).toEqual([other]);
    expect(readdirSync(inside('left'))).toEqual([other]);
  });

  it('cannot be sampled by a server without LoRA, or where answers must match a format', async () => {
    const rollouts = ['http://127.0.0.1:1'];
    const whole = trainGrpo(optionsOf({ rollouts, lora: false, beta: 0 }));
    await expect(whole).rejects.toThrow(
      'servers get the policy as an adapter, so it needs LoRA. Remove lora: false',
    );
    const matching = trainGrpo(optionsOf({ rollouts, choices: ['yes', 'no'] }));
    await expect(matching).rejects.toThrow('must match a format are sampled by the run itself');
    const nowhere = trainGrpo(optionsOf({ rolloutAdapters: 'x' }));
    await expect(nowhere).rejects.toThrow('has no effect without rollouts');
    const ahead = trainGrpo(optionsOf({ asyncRollouts: 1 }));
    await expect(ahead).rejects.toThrow('has no effect without rollouts');
    const address = trainGrpo(optionsOf({ rollouts: ['localhost:8000'] }));
    await expect(address).rejects.toThrow('expected an address such as http://host:8000');
  });
});

type Trainer = (options: TrainGrpoOptions, hooks?: RunHooks) => Promise<RunResult>;
it.each([
  ['ppo', trainPpo as unknown as Trainer],
  ['rloo', trainRloo as unknown as Trainer],
  ['reinforce', trainReinforce as unknown as Trainer],
  ['remax', trainRemax as unknown as Trainer],
  ['online-dpo', trainOnlineDpo as unknown as Trainer],
  ['raft', trainRaft as unknown as Trainer],
])('%s trains on answers of SGLang', async (verb, train) => {
  await using server = await open({ kind: 'sglang' });
  const { path, step } = await train(optionsOf({ rollouts: [server.url], maxSteps: 2 }));
  expect(step).toBe(2);
  for (const row of metricsOf(path)) {
    expect(Number.isFinite(row.loss)).toBe(true);
    const corrected = !['online-dpo', 'raft'].includes(verb);
    expect('sampling/importance_sampling_ratio/mean' in row).toBe(corrected);
    expect(row['sampling/sampling_logp_difference/mean']).toBeGreaterThan(0);
  }
});

describe('a batch ahead', () => {
  it('is sampled by the policy before the batch that is trained on meanwhile', async () => {
    await using server = await open();
    const own = { rollouts: [server.url], asyncRollouts: 1, evalData: [data] };
    const { path } = await trainGrpo(optionsOf({ ...own, numIterations: 2, maxSteps: 6 }));
    const trained = metricsOf(path).filter(({ loss }) => loss !== undefined);
    expect(trained.map((row) => row['rollouts/staleness'])).toEqual([0, 0, 2, 2, 2, 2]);
    // Rows of batches in order: six prompts, four in a batch.
    expect(trained.map(({ epoch }) => epoch)).toEqual([4, 4, 8, 8, 12, 12].map((n) => n / 6));
    const versions = server.requests.flatMap(({ path: to, body }) =>
      to === '/v1/completions' && body.n === 8
        ? [Number(String(body.model).split('-').at(-1))]
        : [],
    );
    // The last batch ahead may not have been asked for before the run ended.
    expect(versions.slice(0, 12)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2]);
    expect(versions.slice(12).every((one) => one === 4)).toBe(true);
    expect([...server.adapters]).toEqual([]);
    expect(readdirSync(join(path, 'rollout-adapters'))).toEqual([]);
  });

  it.each([
    1, 2,
  ])('is asked for again by a resumed run, with %d epochs over batches', async (numIterations) => {
    await using server = await open();
    const how = { rollouts: [server.url], asyncRollouts: 1, numIterations, maxSteps: 5 };
    const whole = optionsOf(how);
    await trainGrpo(whole);
    for (const after of [1, 2, 3]) {
      const { output } = optionsOf();
      await trainGrpo({ ...whole, output }, stopping(after));
      await trainGrpo({ ...whole, output, resume: true });
      expectSameRun(output, whole.output);
    }
  });
});

describe('a run', () => {
  it('resumes bit for bit, also on another server', async () => {
    await using first = await open();
    await using second = await open();
    const whole = optionsOf({ rollouts: [first.url], numIterations: 2 });
    await trainGrpo(whole);
    for (const after of [1, 2]) {
      const { output } = optionsOf();
      const parts = { ...whole, output };
      await trainGrpo(parts, stopping(after));
      await trainGrpo({ ...parts, rollouts: [second.url], resume: true });
      expectSameRun(output, whole.output);
    }
  });

  it('ends with what each server said, and resumes when one is there again', async () => {
    await using steady = await open();
    const whole = optionsOf({ rollouts: [steady.url], saveSteps: 1 });
    await trainGrpo(whole);
    let asked = 0;
    await using failing = await open({
      instead: ({ path }) =>
        path === '/v1/completions' && ++asked > 6
          ? { status: 400, body: { error: { message: 'the engine is dead' } } }
          : null,
    });
    const { output } = optionsOf();
    const parts = { ...whole, output, rollouts: [failing.url] };
    await expect(trainGrpo(parts)).rejects.toThrow(
      `no rollout server could sample:\n  ${failing.url}: /v1/completions returned 400: the engine is dead`,
    );
    expect(existsSync(join(output, 'checkpoints', 'step-1'))).toBe(true);
    await trainGrpo({ ...parts, rollouts: [steady.url], resume: true });
    expectSameRun(output, whole.output);
  });
});
