import { noGrad, setThreads, threads, withSeed } from '@keel/torch';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, expect, test, vi } from 'vitest';
import { addLora, removeAdapter } from '../adapters/lora.ts';
import type { Decoder } from '../decoder.ts';
import { byteTokenizer, constantDecoder, tinyDecoder } from '../testing/tiny-decoder.ts';
import { BatchInFlight, type BatchLimits } from './batch-in-flight.ts';
import { generateAll } from './generate.ts';
import { checkOptions, type GenerateOptions } from './options.ts';
import type { GenerationResult } from './sequence.ts';

const threadsBefore = threads();
setThreads(1);
afterAll(() => setThreads(threadsBefore));

const limits: BatchLimits = { batchSize: 8, prefillTokens: 64, retainedTokens: 200 };

/** A batch to which prompts are added while others are generated. */
class Running {
  readonly batch: BatchInFlight;
  readonly results = new Map<number, GenerationResult>();
  #next = 0;
  readonly #decoder: Decoder;

  constructor(decoder: Decoder, own: Partial<BatchLimits> = {}) {
    this.#decoder = decoder;
    this.batch = new BatchInFlight({ decoder, tokenizer: byteTokenizer }, { ...limits, ...own });
  }

  add(tokens: readonly number[], options: GenerateOptions = {}): number {
    const checked = checkOptions(options, byteTokenizer);
    const promptIndex = this.#next++;
    const draws = { seed: checked.seed, promptIndex: 0 };
    this.batch.add({ promptIndex, tokens, options: checked, draws });
    return promptIndex;
  }

  step(): void {
    const events = this.batch.hasPlace ? this.batch.admit() : this.batch.advance();
    for (const event of events)
      if (event.type === 'done') this.results.set(event.promptIndex, event.result);
  }

  finish(): void {
    while (!this.batch.finished) this.step();
  }

  async alone(tokens: readonly number[], options: GenerateOptions = {}): Promise<number[]> {
    const model = { decoder: this.#decoder, tokenizer: byteTokenizer };
    const [result] = await generateAll(model, [tokens], options);
    return result!.tokens;
  }
}

const text = (length: number, step: number): number[] =>
  Array.from({ length }, (_, i) => (i * step + 11) % 256);

const asked: [number[], GenerateOptions][] = [
  [text(5, 3), { temperature: 0, maxNewTokens: 30 }],
  [text(40, 7), { temperature: 0.7, topK: 20, seed: 4, maxNewTokens: 12 }],
  [text(9, 5), { temperature: 1, seed: 9, maxNewTokens: 20, repetitionPenalty: 1.3 }],
  [text(21, 2), { temperature: 0, maxNewTokens: 8, logitBias: new Map([[65, 100]]) }],
  [text(3, 11), { temperature: 1.2, minP: 0.05, presencePenalty: 1, frequencyPenalty: 0.5 }],
];

test.each([
  'float64',
  'bfloat16',
] as const)('requests that join a running batch get what they get alone: %s', async (dtype) => {
  const running = new Running(tinyDecoder({ dtype, sharpness: 0.3 }), { batchSize: 3 });
  const expected = await Promise.all(
    asked.map(([tokens, options]) => running.alone(tokens, { maxNewTokens: 16, ...options })),
  );
  for (const [tokens, options] of asked) {
    running.add(tokens, { maxNewTokens: 16, ...options });
    for (let i = 0; i < 4 && !running.batch.finished; i++) running.step();
  }
  running.finish();
  const found = asked.map((_, index) => running.results.get(index)!.tokens);
  expect(found).toEqual(expected);
  expect(new Set(found[3])).toEqual(new Set([65]));
  running.batch.dispose();
});

test('adapters are chosen request by request, and can be replaced', async () => {
  const decoder = tinyDecoder({ dtype: 'bfloat16' });
  const adapt = (name: string, seed: number): void => {
    const added = addLora(decoder, name, { rank: 4, alpha: 16, targets: 'all-linear', seed });
    withSeed(seed, () => {
      for (const parameter of added.values()) noGrad(() => parameter.normal_(0, 0.2));
    });
  };
  adapt('one', 1);
  adapt('two', 2);
  const running = new Running(decoder);
  const prompt = text(30, 3);
  const options = { temperature: 0, maxNewTokens: 10, stopTokenIds: [] };
  const names = [null, 'one', 'two', 'one'];
  for (const adapter of names) running.add(prompt, { ...options, adapter });
  running.finish();
  const found = names.map((_, index) => running.results.get(index)!.tokens);
  for (const [index, adapter] of names.entries()) {
    expect(found[index]).toEqual(await running.alone(prompt, { ...options, adapter }));
  }
  expect(new Set(found.map(String)).size).toBe(3);
  running.batch.forgetAdapter('one');
  removeAdapter(decoder, 'one');
  adapt('one', 3);
  const again = running.add(prompt, { ...options, adapter: 'one' });
  running.finish();
  const changed = running.results.get(again)!.tokens;
  expect(changed).toEqual(await running.alone(prompt, { ...options, adapter: 'one' }));
  expect(changed).not.toEqual(found[1]);
  running.batch.dispose();
});

test.each([
  { dtype: 'float64', window: null },
  { dtype: 'bfloat16', window: null },
  { dtype: 'bfloat16', window: 7 },
] as const)('a beginning that is known is not computed again: $dtype $window', async (shape) => {
  const decoder = tinyDecoder(shape);
  const running = new Running(decoder);
  const system = text(50, 7);
  const options = { temperature: 0, maxNewTokens: 6, stopTokenIds: [], topLogprobs: 3 };
  // Two of them start with the same token.
  const questions = [text(4, 3), text(9, 5), text(1, 1), []];
  const hidden = vi.spyOn(decoder, 'hidden');
  for (const question of questions) running.add([...system, ...question], options);
  running.finish();
  const passes = hidden.mock.calls.map(([, positions]) => positions.length);
  hidden.mockRestore();
  // The first prompt, then the rest of all others together: at least a token of each.
  expect(passes.slice(0, 2)).toEqual([54, 8 + 1 + 1]);
  expect(running.batch.counts).toMatchObject({ reused: 51 + 50 + 49, live: 0, waiting: 0 });
  for (const [index, question] of questions.entries()) {
    const model = { decoder, tokenizer: byteTokenizer };
    const [alone] = await generateAll(model, [[...system, ...question]], options);
    const { tokens, modelLogprobs } = running.results.get(index)!;
    expect(tokens).toEqual(alone!.tokens);
    // Not only the tokens: in bfloat16 the numbers are the same bit for bit.
    if (shape.dtype === 'bfloat16') expect(modelLogprobs).toEqual(alone!.modelLogprobs);
  }
  running.batch.dispose();
});

test('retained prompts stay within their limit, and memory returns', async () => {
  const decoder = tinyDecoder();
  const before = await liveMemory();
  const running = new Running(decoder, { retainedTokens: 100 });
  for (let i = 1; i < 20; i++) {
    running.add(text(30 + i, i), { maxNewTokens: 3, temperature: 0 });
    running.finish();
    expect(running.batch.counts.retained).toBeLessThanOrEqual(100);
  }
  // Longer than the limit: not retained at all.
  running.add(text(120, 13), { maxNewTokens: 3 });
  running.finish();
  expect(running.batch.counts.retained).toBeGreaterThan(0);
  running.batch.dispose();
  expect(await liveMemory()).toEqual(before);
});

test('one request can be ended alone, in flight or waiting', async () => {
  const decoder = tinyDecoder();
  const running = new Running(decoder, { batchSize: 2 });
  const endless = { maxNewTokens: 100, stopTokenIds: [], temperature: 0 };
  for (let i = 0; i < 3; i++) running.add(text(20, i + 2), endless);
  for (let i = 0; i < 5; i++) running.step();
  const ended = running.batch.abort(({ promptIndex }) => promptIndex !== 1);
  expect(ended.map(({ promptIndex }) => promptIndex).sort()).toEqual([0, 2]);
  expect(running.batch.counts).toMatchObject({ live: 1, waiting: 0 });
  running.finish();
  expect(running.results.get(1)!.tokens).toEqual(await running.alone(text(20, 3), endless));
  running.batch.dispose();
});

test("log-probabilities are the model's own, before penalties and temperature", async () => {
  const shares = [0.5, 0.25, 0.15, 0.1];
  const constant = { decoder: constantDecoder(shares.map(Math.log)), tokenizer: byteTokenizer };
  const [result] = await generateAll(constant, [[0, 3, 2]], {
    ...{ maxNewTokens: 5, temperature: 0.5, topK: 1, stopTokenIds: [] },
    ...{ logitBias: new Map([[1, 50]]), topLogprobs: 2, promptLogprobs: 1 },
  });
  expect(result!.tokens).toEqual([1, 1, 1, 1, 1]);
  for (const { token, logprob, top } of result!.modelLogprobs!) {
    expect(token).toBe(1);
    expect(logprob).toBeCloseTo(Math.log(0.25), 5);
    expect(top.map((one) => one.token)).toEqual([0, 1]);
    expect(top[0]!.logprob).toBeCloseTo(Math.log(0.5), 5);
  }
  const [first, ...rest] = result!.promptLogprobs!;
  expect(first).toBeNull();
  expect(rest.map((one) => one!.token)).toEqual([3, 2]);
  expect(rest.map((one) => Math.exp(one!.logprob))).toEqual([
    expect.closeTo(0.1, 5),
    expect.closeTo(0.15, 5),
  ]);
  expect(rest[0]!.top.map(({ token }) => token)).toEqual([0]);
});

test('penalties count the completion only', async () => {
  const constant = { decoder: constantDecoder([0, -0.5, -9]), tokenizer: byteTokenizer };
  const greedy = { temperature: 0, maxNewTokens: 6, stopTokenIds: [] };
  const run = async (options: GenerateOptions): Promise<number[]> =>
    (await generateAll(constant, [[0, 0]], { ...greedy, ...options }))[0]!.tokens;
  expect(await run({ presencePenalty: 1 })).toEqual([0, 1, 0, 0, 0, 0]);
  expect(await run({ frequencyPenalty: 1 })).toEqual([0, 1, 0, 1, 0, 1]);
  await expect(run({ presencePenalty: Number.NaN })).rejects.toThrow(/presencePenalty/);
});
