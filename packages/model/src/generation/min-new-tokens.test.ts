import { setThreads, threads } from '@keel/torch';
import { afterAll, expect, test } from 'vitest';
import { byteTokenizer, constantDecoder } from '../testing/tiny-decoder.ts';
import { generateAll } from './generate.ts';
import type { GenerateOptions } from './options.ts';

const threadsBefore = threads();
setThreads(1);
afterAll(() => setThreads(threadsBefore));

const shares = [0.5, 0.25, 0.15, 0.1];
const model = { decoder: constantDecoder(shares.map(Math.log)), tokenizer: byteTokenizer };
const run = (options: GenerateOptions) =>
  generateAll(model, [[0]], {
    ...{ maxNewTokens: 30, samplesPerPrompt: 40, stopTokenIds: [0, 2], logprobs: true },
    ...options,
  });

test('no sample ends before minNewTokens, and then it may', async () => {
  const free = await run({});
  expect(Math.min(...free.map(({ tokens }) => tokens.length))).toBe(1);
  const bound = await run({ minNewTokens: 5 });
  const lengths = bound.map(({ tokens }) => tokens.length);
  expect(Math.min(...lengths)).toBe(6);
  for (const { tokens, logprobs, finishReason } of bound) {
    expect(finishReason).toBe('stop');
    // From tokens 1 and 3 only.
    for (const [place, token] of tokens.slice(0, 5).entries()) {
      expect([1, 3]).toContain(token);
      expect(logprobs![place]).toBeCloseTo(Math.log(shares[token]! / 0.35), 5);
    }
  }
  const greedy = await run({ minNewTokens: 2, temperature: 0, samplesPerPrompt: 1 });
  expect(greedy[0]!.tokens).toEqual([1, 1, 0]);
});

test('it may equal maxNewTokens, but not exceed it', async () => {
  const results = await run({ maxNewTokens: 7, minNewTokens: 7 });
  expect(results.map(({ tokens }) => tokens.length)).toEqual(results.map(() => 7));
  await expect(run({ maxNewTokens: 7, minNewTokens: 8 })).rejects.toThrow(
    /minNewTokens must be a whole number from 0 to maxNewTokens \(7\), got 8/,
  );
  await expect(run({ minNewTokens: 0.5 })).rejects.toThrow(RangeError);
});
