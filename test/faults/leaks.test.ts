// Errors of the library, whatever their source, leak no tensors: a program that catches them can
// run for days.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AlignPairsOptions,
  alignPairs,
  type TrainPpoOptions,
  trainPpo,
  trainReward,
} from '@keel/align';
import { loadAdapter, loadModel } from '@keel/model';
import { liveMemory } from '@keel/torch/testing/live-memory';
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

const folder = mkdtempSync(join(tmpdir(), 'keel-leaks-'));
const file = (name: string): string => join(folder, name);
let pairs: Omit<AlignPairsOptions, 'output'>;
let ppo: Omit<TrainPpoOptions, 'output'>;
let cache: string | undefined;
beforeAll(() => {
  cache = process.env.KEEL_CACHE;
  process.env.KEEL_CACHE = file('cache');
  const usual = { precision: 'fp32', batchSize: 4, maxSteps: 4, saveSteps: 2, threads: 1 } as const;
  const model = writeTinyChatModel(file('model'));
  pairs = { ...usual, model, data: [writeRowsFile(folder, tinyRows(10))], lora: true };
  const reward = writeRewardModule(folder);
  ppo = { ...usual, model, data: [writePrompts(folder)], reward, maxNewTokens: 6, loraRank: 2 };
});
afterAll(() => {
  if (cache === undefined) delete process.env.KEEL_CACHE;
  else process.env.KEEL_CACHE = cache;
  rmSync(folder, { recursive: true, force: true });
});

let outputs = 0;
const output = (): string => file(`run-${outputs++}`);
const write = (name: string, text: string): string => {
  writeFileSync(file(name), text);
  return file(name);
};
/** An error thrown by a listener at an event of this type. */
const failAt = (type: string) => ({
  onEvent(event: { type: string }): void {
    if (event.type === type) throw new Error(`stop at ${type}`);
  },
});

const failures: Record<string, () => Promise<unknown>> = {
  'rows that cannot be used': () =>
    alignPairs({ ...pairs, output: output(), data: [write('bad.jsonl', '{"prompt":1}\n')] }),
  'a missing model': () => alignPairs({ ...pairs, output: output(), model: file('none') }),
  'truncated weights': async () => {
    const model = writeTinyChatModel(file('cut'));
    const weights = readFileSync(join(model, 'model.safetensors'));
    writeFileSync(join(model, 'model.safetensors'), weights.subarray(0, weights.length - 100));
    await alignPairs({ ...pairs, output: output(), model });
  },
  'a missing held-out file': () =>
    alignPairs({ ...pairs, output: output(), evalData: [file('none.jsonl')] }),
  'a listener that throws at the start': () =>
    alignPairs({ ...pairs, output: output() }, failAt('start')),
  'a listener that throws after a step': () =>
    alignPairs({ ...pairs, output: output() }, failAt('step')),
  'a listener that throws after a checkpoint, with full fine-tuning': () =>
    alignPairs({ ...pairs, output: output(), lora: false }, failAt('checkpoint')),
  'a learning rate that makes the weights non-finite': () =>
    alignPairs({ ...pairs, output: output(), learningRate: 1e38, maxGradNorm: null }),
  'a checkpoint of another adapter': async () => {
    const path = output();
    await alignPairs({ ...pairs, output: path });
    await alignPairs({ ...pairs, output: path, resume: true, loraRank: 3 });
  },
  'a checkpoint that is damaged': async () => {
    const path = output();
    await alignPairs({ ...pairs, output: path, saveTotalLimit: 1 });
    writeFileSync(join(path, 'checkpoints', 'step-4', 'trainer_state.json'), '{');
    await alignPairs({ ...pairs, output: path, saveTotalLimit: 1, resume: true });
  },
  'a reward that throws': () =>
    trainPpo({
      ...ppo,
      output: output(),
      reward: write('throws.mjs', 'export default () => { throw new Error("no score"); };\n'),
    }),
  'a reward that returns nonsense in the second batch': () =>
    trainPpo({
      ...{ ...ppo, numIterations: 1, minibatches: 1 },
      output: output(),
      reward: write(
        'nonsense.mjs',
        'let calls = 0;\nexport default () => (++calls > 6 ? "much" : calls);\n',
      ),
    }),
  'a listener that throws at samples': () =>
    trainPpo({ ...ppo, output: output() }, failAt('samples')),
  'a reward model of rows without pairs': () =>
    trainReward({ ...pairs, output: output(), data: [write('text.jsonl', '{"text":"a"}\n')] }),
  'an adapter of another model': async () => {
    const path = output();
    await alignPairs({ ...pairs, output: path });
    const other = await loadModel(writeTinyChatModel(file('other')), { precision: 'fp32' });
    try {
      const config = join(path, 'final', 'adapter_config.json');
      const text = readFileSync(config, 'utf8');
      writeFileSync(config, text.replace(/"r": \d+/, '"r": 5'));
      loadAdapter(other.decoder, join(path, 'final'), 'adapter');
    } finally {
      other.dispose();
    }
  },
};

describe('an error leaks no tensors', () => {
  test.each(Object.entries(failures))('%s', async (_, fail) => {
    const before = await liveMemory();
    await expect(fail()).rejects.toThrow();
    expect(await liveMemory()).toEqual(before);
  });
});
