import type { RunPlan } from '@keel/align/internal';
import { expect, test } from 'vitest';
import { runPlanJson, runPlanText } from './run-plan-text.ts';

const plan: RunPlan = {
  verb: 'grpo',
  dryRun: false,
  model: {
    name: 'models/small',
    family: 'qwen3',
    parameters: 1_720_574_976,
    stored: { container: 'GGUF', type: 'Q8_0', quantised: true },
    basePrecision: null,
  },
  trained: {
    parameters: 3_211_264,
    share: 0.00186,
    adapter: {
      ...{ rank: 8, modules: ['q_proj', 'v_proj'], allLinear: false },
      ...{ layers: 10, ofLayers: 28, from: 'runs/taught/final' },
    },
  },
  rows: { kind: 'prompts', training: 1000, skipped: 24, heldOut: 64 },
  steps: { total: 300, done: 100, epochs: 1.2, batchSize: 16, perBatch: 4 },
  passes: { rows: null, tokens: 2048 },
  learningRate: { peak: 5e-5, scheduler: 'cosine', warmupSteps: 10 },
  machine: { precision: 'bf16', device: 'cuda:1', threads: 8 },
  output: 'runs/grpo',
  checkpoints: {
    ...{ every: 50, count: 2, bytesEach: 51_380_224, resultBytes: 12_845_056 },
    ...{ neededBytes: 167_000_000, freeBytes: 120e9 },
  },
  facts: [{ name: 'reward', text: 'reward.ts', data: { spec: 'reward.ts', maxCalls: 2 } }],
};

test('every fact of a plan is in its lines', () => {
  const lines = Object.fromEntries(
    runPlanText(plan)
      .split('\n')
      .map((line) => /^(\w+) +(.*)$/.exec(line)!.slice(1)),
  );
  const expected: Record<string, RegExp> = {
    model: /models\/small.*qwen3.*1\.7G.*GGUF Q8_0, dequantised/,
    trained: /3\.2M.*0\.19%.*rank 8.*q_proj, v_proj.*10 of 28 layers.*runs\/taught\/final/,
    rows: /1000 prompts.*24 skipped.*64 held out/,
    steps: /300 .*1\.2 epochs.*after step 100.*16 prompts.*4 on each batch.*2048 tokens/,
    reward: /^reward\.ts$/,
    rate: /5e-5.*cosine.*10 steps/,
    machine: /bf16 on cuda:1$/,
    output: /runs\/grpo.*2 checkpoints.*51 MB.*50 steps.*13 MB.*120 GB free/,
  };
  expect(Object.keys(lines)).toEqual(Object.keys(expected));
  for (const [name, pattern] of Object.entries(expected)) expect(lines[name]).toMatch(pattern);
});

test('full fine-tuning without checkpoints on a CPU has shorter lines', () => {
  const text = runPlanText({
    ...plan,
    trained: { parameters: 1_720_574_976, share: 1, adapter: null },
    checkpoints: { ...plan.checkpoints, every: null, count: 0, freeBytes: null },
    machine: { precision: 'fp32', device: 'cpu', threads: 1 },
    passes: { rows: 2, tokens: null },
  });
  expect(text).toMatch(/^trained +1\.7G parameters, all weights$/m);
  expect(text).toMatch(/^steps .*passes of at most 2 prompts$/m);
  expect(text).toMatch(/^machine +fp32 on the CPU, 1 thread$/m);
  expect(text).toMatch(/^output +runs\/grpo: no checkpoints.*13 MB$/m);
});

test('as JSON, names are in snake_case, and facts have their own names', () => {
  expect(runPlanJson(plan)).toMatchObject({
    ...{ verb: 'grpo', dry_run: false, reward: { spec: 'reward.ts', max_calls: 2 } },
    trained: { adapter: { all_linear: false, of_layers: 28 } },
    rows: { held_out: 64 },
    checkpoints: { bytes_each: 51_380_224, free_bytes: 120e9 },
  });
  expect(runPlanJson(plan)).not.toHaveProperty('facts');
});
