// Models and generation on a device that is not the CPU: a tensor that was left on the host is an
// error there, and the tokens are those of the CPU.
import { join } from 'node:path';
import { setThreads, threads } from '@keel/torch';
import { goldenPath } from '@keel/torch/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addShadowDevice } from '../../../torch/src/testing/shadow-device.ts';
import { addLora } from '../adapters/lora.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import { greedyTokens, largestDifference, logitValues } from '../loading/fixtures/forward.ts';
import { loadDecoder } from '../loading/load-decoder.ts';
import { disposeDecoder } from '../loading/named-weights.ts';
import { goldenFamilies } from '../testing/golden-families.ts';
import { byteTokenizer } from '../testing/tiny-decoder.ts';
import { generateAll } from './generate.ts';
import type { GenerateOptions } from './options.ts';

const threadsBefore = threads();
setThreads(1);
beforeAll(async () => void (await addShadowDevice()), 300_000);
afterAll(() => setThreads(threadsBefore));

const open = async (name: string, device: string) => {
  const { decoder } = await loadDecoder(goldenPath(`models/${name}`), {
    ...{ computeType: 'float32' as const, device },
  });
  return decoder;
};

describe('golden models', () => {
  test.each(goldenFamilies)('%s has the logits and greedy tokens of the CPU', async (name) => {
    const [here, there] = [await open(name, 'shadow'), await open(name, 'cpu')];
    using file = openSafetensors(join(goldenPath(`models/${name}`), 'expected.safetensors'));
    const greedy = [...new Int32Array(file.read('greedy').buffer)];
    const sequences = [greedy.slice(0, 13), greedy.slice(0, 5), greedy.slice(2, 12)];
    const logits = logitValues(there, sequences);
    expect(largestDifference(logitValues(here, sequences), logits)).toBeLessThan(1e-5);
    expect(greedyTokens(here, greedy.slice(0, 13), 3)).toEqual(greedy.slice(0, 16));
    const results = await generateAll(
      { decoder: here, tokenizer: byteTokenizer },
      [greedy.slice(0, 3), greedy.slice(0, 13), greedy.slice(0, 7)],
      { temperature: 0, maxNewTokens: 16, stopTokenIds: [] },
    );
    expect(results[1]!.tokens).toEqual(greedy.slice(13));
    for (const decoder of [here, there]) disposeDecoder(decoder);
  });
});

describe('generation', () => {
  const prompts = [[1], [72, 105, 33, 9, 200, 41, 3], [5, 4], [250, 1, 7]];
  const late = { minNewTokens: 4, stopTokenIds: [65] };
  const settings: [string, GenerateOptions][] = [
    ['sampled', {}],
    ['top-k, top-p and min-p', { topK: 40, topP: 0.9, minP: 0.01 }],
    ['penalties', { repetitionPenalty: 1.2, presencePenalty: 0.5, frequencyPenalty: 0.1 }],
    ['a bias and a minimum length', { logitBias: new Map([[65, 2]]), ...late }],
    ['log-probabilities', { topLogprobs: 3 }],
  ];
  test.each(settings)('with %s draws the tokens of the CPU', async (_, options) => {
    const drawn = async (device: string) => {
      const decoder = await open('llama', device);
      addLora(decoder, 'policy', { rank: 4, alpha: 8, targets: 'all-linear', seed: 1 });
      const how = { ...options, seed: 3, maxNewTokens: 12, samplesPerPrompt: 2, batchSize: 3 };
      const model = { decoder, tokenizer: byteTokenizer };
      const results = await generateAll(model, prompts, { ...how, adapter: 'policy' });
      disposeDecoder(decoder);
      return results.map(({ tokens }) => tokens);
    };
    expect(await drawn('shadow')).toEqual(await drawn('cpu'));
  });
});
