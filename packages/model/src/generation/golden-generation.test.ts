import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setThreads, threads } from '@keel/torch';
import { goldenPath } from '@keel/torch/testing';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cachedDefaultModel } from '../formats/default-model.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import type { LanguageModel } from '../language-model.ts';
import { loadModel } from '../load-model.ts';
import { loadDecoder } from '../loading/load-decoder.ts';
import { disposeDecoder } from '../loading/named-weights.ts';
import { goldenFamilies } from '../testing/golden-families.ts';
import { byteTokenizer } from '../testing/tiny-decoder.ts';
import { renderConversation } from '../tokenizer/tokenizer.ts';
import { generateAll } from './generate.ts';

// Synchronising threads would cost more than a step of this small model.
const threadsBefore = threads();
setThreads(1);
afterAll(() => setThreads(threadsBefore));

describe('golden models, with the cache', () => {
  test.each(goldenFamilies)('%s gives the greedy tokens of transformers', async (name) => {
    const folder = goldenPath(`models/${name}`);
    using file = openSafetensors(join(folder, 'expected.safetensors'));
    const greedy = [...new Int32Array(file.read('greedy').buffer)];
    const { decoder } = await loadDecoder(folder, { computeType: 'float32' });
    // With other prompts in the batch, which is uneven. The prompt has 13 tokens.
    const prompts = [greedy.slice(0, 3), greedy.slice(0, 13), greedy.slice(0, 7)];
    const results = await generateAll({ decoder, tokenizer: byteTokenizer }, prompts, {
      temperature: 0,
      maxNewTokens: 16,
      stopTokenIds: [],
    });
    disposeDecoder(decoder);
    expect(results[1]!.tokens).toEqual(greedy.slice(13));
  });
});

interface Golden {
  greedy: { messages: { role: string; content: string }[]; ids: number[]; text: string }[];
}

const path = cachedDefaultModel();

describe.skipIf(!path)('SmolLM2-135M-Instruct', () => {
  const { greedy } = JSON.parse(readFileSync(goldenPath('smollm2.json'), 'utf8')) as Golden;
  let model: LanguageModel;
  beforeAll(async () => {
    model = await loadModel(path!, { precision: 'fp32', device: 'cpu' });
  });
  afterAll(() => disposeDecoder(model.decoder));
  const prompts = (): number[][] =>
    greedy.map(
      ({ messages }) =>
        renderConversation(model.tokenizer, messages, { addGenerationPrompt: true }).ids,
    );

  test('gives the golden greedy answers, all in one batch', async () => {
    const before = await liveMemory();
    const pieces = greedy.map(() => '');
    const results = await generateAll(model, prompts(), {
      temperature: 0,
      maxNewTokens: 48,
      onEvent: ({ promptIndex, text }) => {
        pieces[promptIndex] += text;
      },
    });
    expect(results.map(({ tokens }) => tokens)).toEqual(greedy.map(({ ids }) => ids));
    expect(results.map(({ text }) => text.trim())).toEqual(greedy.map(({ text }) => text.trim()));
    expect(pieces).toEqual(results.map(({ text }) => text));
    for (const { tokens, finishReason } of results) {
      expect(finishReason).toBe(
        model.tokenizer.endOfTurnIds.has(tokens.at(-1)!) ? 'stop' : 'length',
      );
    }
    expect(await liveMemory()).toEqual(before);
  });

  test('draws the same samples at every batch size', async () => {
    const run = async (batchSize: number): Promise<string[]> => {
      const results = await generateAll(model, prompts(), {
        seed: 3,
        samplesPerPrompt: 2,
        maxNewTokens: 8,
        batchSize,
      });
      return results.map(({ text }) => text);
    };
    const together = await run(16);
    expect(await run(1)).toEqual(together);
    expect(new Set(together).size).toBeGreaterThan(greedy.length);
  });
});
