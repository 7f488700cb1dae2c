import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '@keel/model';
import { beforeAll, describe, expect, it } from 'vitest';
import { cachedFolder } from '../../testing/cached-folder.ts';
import { expectSameRun } from '../../testing/run-files.ts';
import { tinyRows, writeRowsFile, writeTinyChatModel } from '../../testing/tiny-chat-model.ts';
import { type AlignPairsOptions, alignPairs } from './run-dpo.ts';

const folder = cachedFolder();
let data: string;
let runs = 0;
beforeAll(() => {
  writeTinyChatModel(join(folder, 'model'));
  data = writeRowsFile(folder, tinyRows(10));
});

const lora = { lora: true, loraRank: 4, loraDropout: 0.2 };
const optionsOf = (own: Partial<AlignPairsOptions>): AlignPairsOptions => ({
  ...{ model: join(folder, 'model'), data: [data], output: join(folder, `run-${runs++}`) },
  ...{ precision: 'fp32', learningRate: 1e-2, batchSize: 4, maxSteps: 2, threads: 1 },
  ...own,
});

/** @param stop stops the run after this step, like ^C */
async function align(options: AlignPairsOptions, stop?: number) {
  const notices: string[] = [];
  const controller = new AbortController();
  const result = await alignPairs(options, {
    signal: controller.signal,
    onEvent(event) {
      if (event.type === 'notice') notices.push(event.text);
      if (event.type === 'step' && event.step === stop) controller.abort();
    },
  });
  return { result, notices };
}

describe('tokens of a pass chosen from free memory', () => {
  const own = { ...lora, maxSteps: 4, saveSteps: 2 };

  it('stay the same when the run is resumed', async () => {
    const options = optionsOf(own);
    const started = await align(options, 2);
    expect(started.notices).toContainEqual(
      expect.stringMatching(/^passes of at most 1024 tokens \(--micro-batch-tokens auto\)/),
    );
    const state = join(options.output, 'checkpoints', 'step-2', 'trainer_state.json');
    expect(JSON.parse(readFileSync(state, 'utf8')).identity.microBatchTokens).toBe(1024);
    const { notices } = await align({ ...options, resume: true });
    expect(notices.join('\n')).toMatch(/^passes of at most 1024 tokens, as /m);
  });

  it('give the same run with gradient checkpointing, byte for byte', async () => {
    const runs = [];
    for (const gradientCheckpointing of ['off', 'on'] as const) {
      const options = optionsOf({ ...own, gradientCheckpointing });
      await align(options);
      runs.push(options.output);
    }
    expectSameRun(runs[1]!, runs[0]!);
  });
});

describe('an adapter on some layers', () => {
  it('is saved and trained further as such', async () => {
    const options = optionsOf({ ...lora, loraLayers: ['1'] });
    const { result } = await align(options);
    const config = JSON.parse(readFileSync(join(result.final, 'adapter_config.json'), 'utf8'));
    expect(config.layers_to_transform).toEqual([1]);
    using file = openSafetensors(join(result.final, 'adapter_model.safetensors'));
    expect(file.names().every((name) => name.includes('layers.1.'))).toBe(true);
    await align(optionsOf({ adapter: result.final, maxSteps: 1 }));
    await expect(align(optionsOf({ ...lora, loraLayers: ['1-0'] }))).rejects.toThrow(
      /loraLayers: .* 1-0 /s,
    );
    await expect(align(optionsOf({ ...lora, loraLayers: ['0-5'] }))).rejects.toThrow(
      'there is no layer 2: this model has layers 0 to 1',
    );
  });
});
