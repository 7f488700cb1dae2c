// Runs that are killed at points chosen from a seed give the same bytes as an undisturbed run:
// weights, optimiser, metrics and samples. A few trials run here. To run many, with a report of
// each kill on stderr:
//
//     KEEL_KILL_TRIALS=200 KEEL_KILL_SEED=1 npx vitest run test/faults/kills.test.ts
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  writePrompts,
  writeRewardModule,
} from '../../packages/align/src/methods/online/fixtures/prompt-files.ts';
import {
  tinyRows,
  writeRowsFile,
  writeTinyChatModel,
} from '../../packages/align/src/testing/tiny-chat-model.ts';
import type { Job } from './kill-child.ts';
import { KillTrials } from './kill-trials.ts';

const asked = Number(process.env.KEEL_KILL_TRIALS ?? 0);
const firstSeed = Number(process.env.KEEL_KILL_SEED ?? 1);
const trialsOfEach = asked > 0 ? asked : 1;
/** Maximum kills per trial. */
const killsOfEach = asked > 0 ? 3 : 2;

const folder = mkdtempSync(join(tmpdir(), 'keel-kills-'));
const usual = {
  precision: 'fp32' as const,
  learningRate: 1e-2,
  batchSize: 4,
  threads: 1,
  maxSteps: 6,
  saveSteps: 2,
  saveTotalLimit: 2,
};
let model: string;
let rows: string;
let prompts: string;
let reward: string;
beforeAll(() => {
  model = writeTinyChatModel(join(folder, 'model'));
  rows = writeRowsFile(folder, tinyRows(10));
  prompts = writePrompts(folder);
  reward = writeRewardModule(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const jobs: Record<string, (output: string) => Job> = {
  // With a cache for the reference, which training updates.
  'a full DPO run': (output) => ({
    kind: 'dpo',
    options: { ...usual, model, data: [rows], evalData: [rows], evalSteps: 3, output, lora: false },
  }),
  // With samples, running reward statistics, a critic and rollout batches that outlive a
  // checkpoint.
  'a PPO run': (output) => ({
    kind: 'ppo',
    options: {
      ...{ ...usual, model, data: [prompts], reward, output, maxNewTokens: 8, numIterations: 3 },
      ...{ minibatches: 1, klController: 'adaptive', rewardScale: 'running', loraRank: 4 },
    },
  }),
  // Two stages with a merged model between them.
  'a recipe': (output) => {
    const recipe = join(folder, 'recipe.yaml');
    writeFileSync(
      recipe,
      [
        'defaults:',
        `  { model: ${model}, data: ${rows}, precision: fp32, batch_size: 4, learning_rate: 1e-2, threads: 1, save_steps: 2 }`,
        'stages:',
        '  first: { verb: dpo, lora: true, max_steps: 3 }',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the recipe's own reference
        '  second: { verb: dpo, model: "${stages.first}", lora: true, max_steps: 3 }',
        '',
      ].join('\n'),
    );
    return { kind: 'recipe', options: { recipe, output } };
  },
};

describe('kill -9 at changes to files', () => {
  test.each(Object.entries(jobs))('of %s', { timeout: 3_600_000 }, async (name, job) => {
    const trials = new KillTrials(join(folder, name), job);
    const changes = await trials.whole();
    let kills = 0;
    for (let seed = firstSeed; seed < firstSeed + trialsOfEach; seed++) {
      const { killed } = await trials.trial(seed, killsOfEach);
      kills += killed.length;
      if (asked > 0) process.stderr.write(`${name}, seed ${seed}: ${killed.join('; ')}\n`);
    }
    if (asked > 0) process.stderr.write(`${name}: ${changes} changes, ${kills} kills survived\n`);
    expect(kills).toBeGreaterThan(0);
  });
});
