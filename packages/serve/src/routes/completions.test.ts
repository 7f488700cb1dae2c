import { generateAll } from '@keel/model';
import type OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Server } from '../start-server.ts';
import { serveTiny, TinyModel } from '../testing/tiny-server.ts';

let tiny: TinyModel;
let server: Server;
let client: OpenAI;
beforeAll(async () => {
  tiny = await TinyModel.open();
  ({ server, client } = await serveTiny(tiny));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await tiny[Symbol.asyncDispose]();
});

const greedy = { model: 'tiny', temperature: 0, max_tokens: 12 };

/** What `keel generate --raw` gives. */
async function alone(prompt: string, options = {}) {
  const tokens = tiny.model.tokenizer.encode(prompt, { addSpecialTokens: true });
  const how = { temperature: 0, maxNewTokens: 12, ...options };
  const [result] = await generateAll(tiny.model, [tokens], how);
  return { tokens, result: result! };
}

test('greedy and seeded completions are those of generate', async () => {
  for (const prompt of ['It is', 'The cat sat on the mat and', 'Why']) {
    const { choices, usage } = await client.completions.create({ ...greedy, prompt });
    const { tokens, result } = await alone(prompt);
    expect(choices).toMatchObject([{ index: 0, text: result.text, logprobs: null }]);
    expect(usage).toMatchObject({
      prompt_tokens: tokens.length,
      completion_tokens: result.tokens.length,
    });
  }
  const sampled = { temperature: 0.8, top_p: 0.9, seed: 7 };
  const { choices } = await client.completions.create({ ...greedy, ...sampled, prompt: 'It is' });
  const { result } = await alone('It is', { temperature: 0.8, topP: 0.9, seed: 7 });
  expect(choices[0]!.text).toBe(result.text);
});

test('texts, lists of texts, token ids and lists of them are prompts', async () => {
  const texts = ['It is', 'Why'];
  const ids = texts.map((text) => tiny.model.tokenizer.encode(text, { addSpecialTokens: true }));
  const expected = await Promise.all(texts.map(async (text) => (await alone(text)).result.text));
  for (const prompt of [texts, ids]) {
    const { choices } = await client.completions.create({ ...greedy, prompt });
    expect(choices.map(({ index, text }) => [index, text])).toEqual(
      expected.map((text, index) => [index, text]),
    );
  }
  const one = await client.completions.create({ ...greedy, prompt: ids[0]! });
  expect(one.choices.map(({ text }) => text)).toEqual([expected[0]]);
});

test('echo with logprobs scores the prompt, as lm-eval asks for it', async () => {
  const { tokens } = await alone('It is raining');
  const asked = { ...greedy, prompt: [tokens], max_tokens: 1, echo: true, logprobs: 1 };
  const [choice] = (await client.completions.create(asked)).choices;
  const { tokens: names, token_logprobs, top_logprobs, text_offset } = choice!.logprobs!;
  expect(names).toHaveLength(tokens.length + 1);
  expect(token_logprobs![0]).toBeNull();
  expect(top_logprobs![0]).toBeNull();
  expect(text_offset![0]).toBe(0);
  for (const [index, score] of token_logprobs!.entries()) {
    if (index === 0) continue;
    const best = Math.max(...Object.values(top_logprobs![index]!));
    expect(best).toBeGreaterThanOrEqual(score!);
  }
  // The generated token is the most likely one.
  expect(Math.max(...Object.values(top_logprobs!.at(-1)!))).toBe(token_logprobs!.at(-1));
  // The sum is that of one pass over the whole text.
  const scored = await generateAll(tiny.model, [tokens], { maxNewTokens: 1, promptLogprobs: 0 });
  const sum = scored[0]!.promptLogprobs!.reduce((total, one) => total + (one?.logprob ?? 0), 0);
  const found = token_logprobs!.slice(0, -1).reduce((total, one) => total! + (one ?? 0), 0);
  expect(found).toBeCloseTo(sum, 10);
});

test('echo without new tokens gives the prompt alone', async () => {
  const { choices, usage } = await client.completions.create({
    ...{ ...greedy, prompt: 'It is raining', max_tokens: 0, echo: true, logprobs: 0 },
  });
  expect(choices[0]).toMatchObject({ text: 'It is raining', finish_reason: 'length' });
  const { tokens } = await alone('It is raining');
  expect(choices[0]!.logprobs!.tokens).toHaveLength(tokens.length);
  expect(usage!.completion_tokens).toBe(0);
});

test('a stream has the text of the whole answer, then the usage', async () => {
  const stream = await client.completions.create({
    ...{ ...greedy, prompt: ['It is', 'Why'], stream: true, n: 2, echo: true },
    stream_options: { include_usage: true },
  });
  const texts = ['', '', '', ''];
  const ends: (string | null)[] = [];
  let usage: OpenAI.CompletionUsage | null | undefined;
  for await (const chunk of stream) {
    ({ usage } = chunk);
    for (const { index, text, finish_reason } of chunk.choices) {
      texts[index] += text;
      if (finish_reason) ends[index] = finish_reason;
    }
  }
  const whole = await client.completions.create({
    ...{ ...greedy, prompt: ['It is', 'Why'], n: 2, echo: true },
  });
  expect(texts).toEqual(whole.choices.map(({ text }) => text));
  expect(ends).toEqual(whole.choices.map(({ finish_reason }) => finish_reason));
  expect(usage).toEqual(expect.objectContaining({ total_tokens: whole.usage!.total_tokens }));
});

test('best_of returns the answers with the highest mean log-probability', async () => {
  const asked = { model: 'tiny', prompt: 'It is', temperature: 1, seed: 3, max_tokens: 8 };
  const all = await client.completions.create({ ...asked, n: 6, logprobs: 0 });
  const mean = ({ logprobs }: OpenAI.CompletionChoice): number =>
    logprobs!.token_logprobs!.reduce((sum, one) => sum + one, 0) / logprobs!.tokens!.length;
  const ranked = [...all.choices].sort((a, b) => mean(b) - mean(a));
  const best = await client.completions.create({ ...asked, n: 2, best_of: 6 });
  expect(best.choices.map(({ text }) => text)).toEqual(ranked.slice(0, 2).map(({ text }) => text));
  expect(best.usage!.completion_tokens).toBe(all.usage!.completion_tokens);
});

test('token ids are returned for training on them', async () => {
  const { tokens, result } = await alone('It is');
  const response = await client.completions.create({
    ...{ ...greedy, prompt: 'It is', logprobs: 0, return_token_ids: true },
  } as OpenAI.CompletionCreateParamsNonStreaming);
  expect(response.choices[0]).toMatchObject({
    prompt_token_ids: tokens,
    token_ids: result.tokens,
  });
  expect(response.choices[0]!.logprobs!.tokens).toHaveLength(result.tokens.length);
});

test('stop strings, stop tokens, biases and minimum length change the answer', async () => {
  const { result } = await alone('It is');
  const piece = result.text.slice(3, 5);
  const at = result.text.indexOf(piece);
  const cut = await client.completions.create({ ...greedy, prompt: 'It is', stop: [piece] });
  expect(cut.choices[0]).toMatchObject({ text: result.text.slice(0, at), finish_reason: 'stop' });
  const biased = await client.completions.create({
    ...{ ...greedy, prompt: 'It is', max_tokens: 4, logit_bias: { '50': 100 } },
  });
  const token = tiny.model.tokenizer.decode([50]);
  expect(biased.choices[0]!.text).toContain(token);
});

test.each([
  ['prompt', { prompt: [] }],
  ['prompt', { prompt: '' }],
  ['suffix', { suffix: ' end' }],
  ['best_of', { n: 3, best_of: 2 }],
  ['best_of', { best_of: 2, stream: true }],
  ['temperature', { temperature: -1 }],
  ['max_tokens', { max_tokens: 0 }],
  ['logprobs', { logprobs: 21 }],
  ['logit_bias', { logit_bias: { 99999: 1 } }],
  ['prompt', { max_tokens: 100_000 }],
  ['use_beam_search', { use_beam_search: true }],
  ['stream_options.extra', { stream_options: { extra: 1 } }],
])('what cannot be used is refused by name: %s', async (param, fields) => {
  const asked = { ...greedy, prompt: 'It is', ...fields };
  await expect(client.completions.create(asked as never)).rejects.toMatchObject({
    ...{ status: 400, param },
    error: { type: 'invalid_request_error', message: expect.stringContaining(param) },
  });
});

test('processed log-probabilities are those of the distribution that tokens are drawn from', async () => {
  const ids = ['It is', 'Why'].map((text) => tiny.model.tokenizer.encode(text));
  const how = { temperature: 0.7, top_p: 0.9, seed: 5, n: 2 };
  const asked = { ...greedy, ...how, return_token_ids: true, logprobs: 0 };
  const rollouts = { logprobs_mode: 'processed_logprobs', prompt_index: 3 };
  const { choices } = await client.completions.create({ ...asked, ...rollouts, prompt: ids });
  const expected = await generateAll(tiny.model, ids, {
    ...{ temperature: 0.7, topP: 0.9, seed: 5, samplesPerPrompt: 2, maxNewTokens: 12 },
    ...{ firstIndex: 3, logprobs: true },
  });
  expect(choices).toHaveLength(4);
  for (const [at, choice] of choices.entries()) {
    const { token_ids } = choice as unknown as { token_ids: number[] };
    expect(token_ids).toEqual(expected[at]!.tokens);
    choice.logprobs!.token_logprobs!.forEach((one, token) => {
      expect(one).toBeCloseTo(expected[at]!.logprobs![token]!, 6);
    });
  }
  const [first] = ids;
  const stream = await client.completions.create({
    ...{ ...asked, ...rollouts, prompt: first!, n: 1, stream: true },
  });
  const streamed: number[] = [];
  for await (const chunk of stream)
    streamed.push(...((chunk.choices[0]?.logprobs?.token_logprobs ?? []) as number[]));
  expect(streamed).toHaveLength(expected[0]!.tokens.length);
  streamed.forEach((one, at) => void expect(one).toBeCloseTo(expected[0]!.logprobs![at]!, 6));
  const more = client.completions.create({ ...asked, ...rollouts, logprobs: 2, prompt: first! });
  await expect(more).rejects.toMatchObject({ status: 400, param: 'logprobs_mode' });
});
