// Online runs whose answers a real server samples.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trainGrpo } from '@keel/align';
import { type LanguageModel, loadModel } from '@keel/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  writePrompts,
  writeRewardModule,
} from '../../align/src/methods/online/fixtures/prompt-files.ts';
import { metricsOf } from '../../align/src/testing/run-files.ts';
import { writeTinyChatModel } from '../../align/src/testing/tiny-chat-model.ts';
import { type Server, startServer } from './start-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-rollouts-'));
const inside = (name: string): string => join(folder, name);
const adapters = inside('adapters');
let model: LanguageModel;
let servers: Server[];
beforeAll(async () => {
  writeTinyChatModel(inside('model'));
  model = await loadModel(inside('model'), { precision: 'fp32', device: 'cpu' });
  const options = { port: 0, runtimeAdapters: adapters, log: () => {} };
  servers = [await startServer(model, options), await startServer(model, options)];
});
afterAll(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
  model.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const optionsOf = (name: string, own = {}) => ({
  ...{ model: inside('model'), data: [writePrompts(folder)], output: inside(name) },
  ...{ reward: writeRewardModule(folder), precision: 'fp32' as const, threads: 1 },
  ...{ learningRate: 1e-2, batchSize: 4, loraRank: 4, maxNewTokens: 12, maxSteps: 2 },
  ...own,
});
const samplesOf = (run: string) =>
  readFileSync(join(run, 'samples.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { completion: string }).completion);
const urls = () => servers.map(({ url }) => url);

test('a run on two servers has the samples and the numbers of a run without', async () => {
  // Reference answers are the base's; the KL is measured.
  const own = { rewardShape: 'sigmoid' as const, temperature: 0.8, topP: 0.9, beta: 0.1 };
  const alone = await trainGrpo(
    optionsOf('alone', { ...own, evalData: [inside('prompts.jsonl')] }),
  );
  const served = await trainGrpo(
    optionsOf('served', {
      ...{ ...own, evalData: [inside('prompts.jsonl')] },
      ...{ rollouts: urls(), rolloutAdapters: adapters, samplesInFlight: 8 },
    }),
  );
  const [expected, found] = [alone, served].map(({ path }) => samplesOf(path));
  expect(found!.length).toBeGreaterThan(2 * 32);
  expect(new Set(found).size).toBeGreaterThan(30);
  expect(found).toEqual(expected);
  const [before, after] = [alone, served].map(({ path }) => metricsOf(path));
  expect(after).toHaveLength(before!.length);
  const compared = ['loss', 'reward', 'kl', 'grad_norm', 'eval_reward', 'eval_objective/kl'];
  for (const [at, row] of after!.entries()) {
    for (const name of compared) {
      const own = before![at]![name];
      if (own === undefined) expect(row[name]).toBeUndefined();
      else expect(row[name]).toBeCloseTo(own as number, 5);
    }
  }
  const trained = after!.filter((row) => row.loss !== undefined);
  expect(trained).toHaveLength(2);
  for (const row of trained) {
    expect(row['rollouts/staleness']).toBe(0);
    expect(row['sampling/bounded_share']).toBe(0);
  }
  // Nothing of the run is left on the servers.
  expect(servers.flatMap(({ adapters: one }) => one.all.map(({ name }) => name))).toEqual(
    servers.map(({ adapters: one }) => one.base.name),
  );
  expect(readdirSync(adapters)).toEqual([]);
});
