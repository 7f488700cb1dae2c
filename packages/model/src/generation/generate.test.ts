import { fromTypedArray, noGrad, Scope, setThreads, threads, tidy } from '@keel/torch';
import { liveMemory } from '@keel/torch/testing/live-memory';
import { afterAll, expect, test, vi } from 'vitest';
import { SegmentAttention } from '../attention.ts';
import type { Decoder } from '../decoder.ts';
import { BatchBuilder } from '../packed-batch.ts';
import {
  bytesToText,
  byteTokenizer,
  constantDecoder,
  endToken,
  textToBytes,
  tinyDecoder,
} from '../testing/tiny-decoder.ts';
import { generate, generateAll } from './generate.ts';
import type { GenerateOptions, GenerationModel } from './options.ts';
import type { GenerationEvent, GenerationResult } from './sequence.ts';

const model = (decoder: Decoder): GenerationModel => ({ decoder, tokenizer: byteTokenizer });

// Synchronising threads would cost more than this small model's computation.
const threadsBefore = threads();
setThreads(1);
afterAll(() => setThreads(threadsBefore));

/** Greedy tokens, each from a forward pass over the whole text. */
function withoutCache(decoder: Decoder, prompt: readonly number[], count: number): number[] {
  const tokens = [...prompt];
  for (let i = 0; i < count; i++) {
    const next = tidy(() =>
      noGrad(() => {
        const builder = new BatchBuilder();
        builder.add(tokens);
        const batch = builder.build();
        const ids = fromTypedArray(batch.tokens).to('int64');
        const hidden = decoder.hidden(ids, batch.positions, new SegmentAttention(batch));
        return decoder
          .logits(hidden.narrow(0, tokens.length - 1, 1))
          .argmax(1)
          .toArray()[0]!;
      }),
    );
    tokens.push(next);
    if (next === endToken) break;
  }
  return tokens.slice(prompt.length);
}

const prompts = [
  [1],
  [72, 105, 33, 9, 200, 41, 3],
  [5, 4],
  Array.from({ length: 40 }, (_, i) => (i * 37) % 256),
  [250, 1, 7],
];
const texts = (results: GenerationResult[]): number[][] => results.map(({ tokens }) => tokens);

test.each([
  { name: 'grouped heads', options: {} },
  { name: 'a sliding window and softcap', options: { window: 5, attentionSoftcap: 4, layers: 3 } },
  { name: 'one key-value head', options: { keyValueHeads: 1, heads: 5 } },
])('greedy decoding gives the same with and without the cache: $name', async ({ options }) => {
  const decoder = tinyDecoder(options);
  const results = await generateAll(model(decoder), prompts, {
    temperature: 0,
    maxNewTokens: 40,
    batchSize: 3,
  });
  expect(texts(results)).toEqual(prompts.map((prompt) => withoutCache(decoder, prompt, 40)));
});

test('uneven prompts give the same in a batch and one by one, at any batch size and prefill budget', async () => {
  const decoder = model(tinyDecoder());
  const options: GenerateOptions = {
    seed: 11,
    maxNewTokens: 20,
    samplesPerPrompt: 3,
    topP: 0.95,
    repetitionPenalty: 1.1,
  };
  const all = await generateAll(decoder, prompts, { ...options, batchSize: 16 });
  for (const different of [
    { batchSize: 1 },
    { batchSize: 4, prefillTokens: 8 },
    { batchSize: 2, prefillTokens: 1 },
  ]) {
    expect(texts(await generateAll(decoder, prompts, { ...options, ...different }))).toEqual(
      texts(all),
    );
  }
  expect(new Set(texts(all).map(String)).size).toBeGreaterThan(prompts.length);
});

test('the seed determines the result', async () => {
  const decoder = model(tinyDecoder());
  const run = (seed: number): Promise<GenerationResult[]> =>
    generateAll(decoder, prompts, { seed, maxNewTokens: 12 });
  const first = await run(5);
  expect(await run(5)).toEqual(first);
  expect(texts(await run(6))).not.toEqual(texts(first));
});

test('a part of the prompts has the draws of the whole list', async () => {
  const decoder = model(tinyDecoder());
  const options = { seed: 5, maxNewTokens: 12, samplesPerPrompt: 2 };
  const whole = await generateAll(decoder, prompts, options);
  const rest = await generateAll(decoder, prompts.slice(1), { ...options, firstIndex: 1 });
  expect(texts(rest)).toEqual(texts(whole.slice(2)));
  expect(texts(await generateAll(decoder, prompts.slice(1), options))).not.toEqual(texts(rest));
  expect(() => generate(decoder, [[1]], { firstIndex: -1 })).toThrow(/firstIndex/);
});

test('samples of one prompt share its computation', async () => {
  const decoder = tinyDecoder();
  const hidden = vi.spyOn(decoder, 'hidden');
  const prompt = prompts[3]!;
  const results = await generateAll(model(decoder), [prompt], {
    samplesPerPrompt: 5,
    maxNewTokens: 3,
    batchSize: 2,
    stopTokenIds: [],
  });
  expect(results.map(({ promptIndex, sampleIndex }) => [promptIndex, sampleIndex])).toEqual(
    [0, 1, 2, 3, 4].map((i) => [0, i]),
  );
  const lengths = hidden.mock.calls.map(([, positions]) => positions.length);
  expect(lengths.filter((length) => length > 2)).toEqual([prompt.length]);
  // Two steps after the first token, with two, two and one samples at once.
  expect(lengths.slice(1)).toEqual([2, 2, 2, 2, 1, 1]);
});

test('log-probabilities are from the distribution that was drawn from', async () => {
  const shares = [0.5, 0.25, 0.15, 0.1];
  const constant = model(constantDecoder(shares.map(Math.log)));
  const run = (options: GenerateOptions): Promise<GenerationResult[]> =>
    generateAll(constant, [[0]], {
      maxNewTokens: 60,
      logprobs: true,
      stopTokenIds: [],
      ...options,
    });
  const [plain] = await run({});
  expect(new Set(plain!.tokens)).toEqual(new Set([0, 1, 2, 3]));
  for (const [i, token] of plain!.tokens.entries()) {
    expect(plain!.logprobs![i]).toBeCloseTo(Math.log(shares[token]!), 5);
  }
  const [two] = await run({ topK: 2 });
  expect(new Set(two!.tokens)).toEqual(new Set([0, 1]));
  for (const [i, token] of two!.tokens.entries()) {
    expect(two!.logprobs![i]).toBeCloseTo(Math.log(shares[token]! / 0.75), 5);
  }
  const [greedy] = await run({ temperature: 0 });
  expect(new Set(greedy!.tokens)).toEqual(new Set([0]));
  expect(greedy!.logprobs![0]).toBeCloseTo(Math.log(0.5), 5);
  expect((await run({ logprobs: false }))[0]).not.toHaveProperty('logprobs');
});

/** Forces a text, token by token. */
const dictate = (ids: readonly number[]): GenerateOptions => ({
  logitsProcessor: (tokens, logits) => {
    const forced = logits.clone().fill_(Number.NEGATIVE_INFINITY);
    forced.narrow(0, ids[tokens.length]!, 1).fill_(0);
    return forced;
  },
});

async function eventsOf(options: GenerateOptions, count = 1): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = [];
  for await (const event of generate(model(tinyDecoder()), new Array(count).fill([1]), options))
    events.push(event);
  return events;
}

const resultOf = (events: GenerationEvent[]): GenerationResult =>
  events.flatMap((event) => (event.type === 'done' ? [event.result] : []))[0]!;

test('stop tokens end a sample; they are among its tokens and not in its text', async () => {
  const ids = [...textToBytes('yes'), endToken, ...textToBytes('no')];
  const result = resultOf(await eventsOf(dictate(ids)));
  expect(result).toEqual({
    promptIndex: 0,
    sampleIndex: 0,
    tokens: ids.slice(0, 4),
    text: 'yes',
    finishReason: 'stop',
  });
  const own = resultOf(await eventsOf({ ...dictate(ids), stopTokenIds: [ids[1]!] }));
  expect([own.text, own.finishReason]).toEqual(['y', 'stop']);
});

test('a stop string across tokens cuts the text where it starts', async () => {
  const ids = textToBytes('a dog.\n\nUser: hi');
  const events = await eventsOf({
    ...dictate(ids),
    stopStrings: ['\nUser:', '###'],
    maxNewTokens: ids.length,
  });
  const result = resultOf(events);
  expect([result.text, result.finishReason]).toEqual(['a dog.\n', 'stop-string']);
  expect(bytesToText(result.tokens)).toBe('a dog.\n\nUser:');
  // No piece ever contained the text that was cut off.
  expect(events.map(({ text }) => text).join('')).toBe('a dog.\n');
});

test('pieces never contain partial characters, and join to the text', async () => {
  const text = 'naïve 日本 🚀!';
  const ids = textToBytes(text);
  for (const length of [ids.length, ids.length - 2]) {
    const events = await eventsOf({ ...dictate(ids), maxNewTokens: length });
    const result = resultOf(events);
    expect(result.finishReason).toBe('length');
    expect(result.text).toBe(bytesToText(ids.slice(0, length)));
    expect(events.map((event) => event.text).join('')).toBe(result.text);
    const pieces = events.filter((event) => event.text !== '' && !event.text.includes('\uFFFD'));
    for (const piece of pieces) expect(piece.text.isWellFormed()).toBe(true);
    expect(events.filter(({ type }) => type === 'token')).toHaveLength(length);
  }
});

test('a logits processor rules tokens out and is told the sample', async () => {
  const heard: string[] = [];
  const results = await generateAll(model(tinyDecoder()), [[1], [2, 3]], {
    samplesPerPrompt: 2,
    maxNewTokens: 4,
    stopTokenIds: [],
    logitsProcessor: (tokens, logits, { promptIndex, sampleIndex, prompt }) => {
      heard.push(`${promptIndex}/${sampleIndex}/${tokens.length}/${prompt.length}`);
      const allowed = logits.clone().fill_(Number.NEGATIVE_INFINITY);
      allowed.narrow(0, 65, 3).copy_(logits.narrow(0, 65, 3));
      return allowed;
    },
  });
  for (const { tokens } of results)
    for (const token of tokens) expect([65, 66, 67]).toContain(token);
  expect(heard).toHaveLength(16);
  expect(heard).toContain('1/1/3/2');
  await expect(
    eventsOf({ logitsProcessor: (_, logits) => logits.narrow(0, 0, 3) }),
  ).rejects.toThrow(/shape \[3\].*\[257\]/);
});

test('the signal ends every sample with the tokens so far', async () => {
  const abort = new AbortController();
  const results: GenerationResult[] = [];
  let tokens = 0;
  let pieces = '';
  const options = {
    ...dictate(textToBytes('ab##cd##ef')),
    stopStrings: ['####'],
    samplesPerPrompt: 3,
    batchSize: 1,
    signal: abort.signal,
  };
  for await (const event of generate(model(tinyDecoder()), [[1]], options)) {
    pieces += event.text;
    if (event.type === 'token' && ++tokens === 4) abort.abort();
    if (event.type === 'done') results.push(event.result);
  }
  expect(
    results.map(({ sampleIndex, text, finishReason }) => ({ sampleIndex, text, finishReason })),
  ).toEqual([
    { sampleIndex: 0, text: 'ab##', finishReason: 'aborted' },
    { sampleIndex: 1, text: '', finishReason: 'aborted' },
    { sampleIndex: 2, text: '', finishReason: 'aborted' },
  ]);
  expect(pieces).toBe('ab##');
});

test('other work runs between steps', async () => {
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 0);
  await generateAll(model(tinyDecoder()), [[1]], { maxNewTokens: 200, stopTokenIds: [] });
  clearInterval(timer);
  expect(turns).toBeGreaterThan(1);
});

test('no tensor is left at the end, when the loop is left, when a processor throws, or in a scope', async () => {
  const tiny = model(tinyDecoder());
  const before = await liveMemory();
  const options: GenerateOptions = {
    maxNewTokens: 35,
    samplesPerPrompt: 2,
    topK: 20,
    minP: 0.01,
    repetitionPenalty: 1.2,
    batchSize: 3,
  };
  await generateAll(tiny, prompts, options);
  expect(await liveMemory()).toEqual(before);
  let seen = 0;
  for await (const _ of generate(tiny, prompts, options)) if (++seen === 20) break;
  expect(await liveMemory()).toEqual(before);
  const failing = {
    ...options,
    logitsProcessor: () => {
      throw new Error('no');
    },
  };
  await expect(generateAll(tiny, prompts, failing)).rejects.toThrow('no');
  expect(await liveMemory()).toEqual(before);
  {
    using _scope = new Scope();
    await generateAll(tiny, prompts, options);
  }
  expect(await liveMemory()).toEqual(before);
});

test("a sample ends at the model's last position", async () => {
  const decoder = model(tinyDecoder({ maxPositions: 10 }));
  const full = Array.from({ length: 10 }, (_, i) => i);
  const results = await generateAll(decoder, [[1, 2, 3, 4], full], {
    maxNewTokens: 50,
    stopTokenIds: [],
  });
  // The token drawn at the last position needs no position itself.
  expect(results.map(({ tokens, finishReason }) => [tokens.length, finishReason])).toEqual([
    [7, 'length'],
    [1, 'length'],
  ]);
});

test('invalid requests are refused at once, by name', () => {
  const decoder = model(tinyDecoder({ maxPositions: 4 }));
  expect(() => generate(decoder, [[1], [1, 2, 3, 4, 5]])).toThrow(/prompt 1 has 5 tokens.* 4/);
  expect(() => generate(decoder, [[]])).toThrow(/prompt 0 has no tokens/);
  expect(() => generate(decoder, [[1, 257]])).toThrow(/prompt 0 .* 257 .* 1,.*0 to 256/);
  expect(() => generate(decoder, [[1]], { batchSize: 0 })).toThrow(/batchSize/);
  expect(() => generate(decoder, [[1]], { seed: -1 })).toThrow(/seed/);
  expect(() => generate(decoder, [[1]], { stopStrings: [''] })).toThrow(/stopStrings/);
});

test('a missing adapter is refused at once, and `reference` is the base', async () => {
  const decoder = tinyDecoder();
  expect(() => generate(model(decoder), prompts, { adapter: 'policy' })).toThrow(
    new RangeError('there is no adapter "policy": this model has none'),
  );
  const few = { maxNewTokens: 3 };
  const base = await generateAll(model(decoder), prompts, few);
  const named = await generateAll(model(decoder), prompts, { ...few, adapter: 'reference' });
  expect(texts(named)).toEqual(texts(base));
});

test('no prompts, no events', async () => {
  expect(await generateAll(model(tinyDecoder()), [])).toEqual([]);
});
