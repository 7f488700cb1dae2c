import { cpSync, symlinkSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { generateAll, loadAdapter, removeAdapter } from '@keel/model';
import { liveMemory } from '@keel/torch/testing/live-memory';
import type OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Server, startServer } from './start-server.ts';
import { serveTiny, TinyModel } from './testing/tiny-server.ts';

let tiny: TinyModel;
let adapters: { one: string; two: string };
beforeAll(async () => {
  tiny = await TinyModel.open();
  adapters = { one: tiny.adapter('one', 1), two: tiny.adapter('two', 2) };
});
afterAll(() => tiny[Symbol.asyncDispose]());

const asked = { model: 'tiny', prompt: 'It is', temperature: 0, max_tokens: 12 };
const endless = { ignore_eos: true, max_tokens: 2000 } as object;

/** The greedy completion without the server. */
async function alone(prompt: string, folder: string | null = null): Promise<string> {
  const { decoder, tokenizer } = tiny.model;
  if (folder !== null) loadAdapter(decoder, folder, 'alone');
  const tokens = tokenizer.encode(prompt, { addSpecialTokens: true });
  const adapter = folder === null ? null : 'alone';
  const how = { temperature: 0, maxNewTokens: 12, adapter };
  const [result] = await generateAll(tiny.model, [tokens], how);
  if (folder !== null) removeAdapter(decoder, 'alone');
  return result!.text;
}

const post = (server: Server, path: string, body: unknown, headers = {}): Promise<Response> =>
  fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

/** A request with headers that fetch does not let a program set. */
const raw = (server: Server, headers: Record<string, string>): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(`${server.url}/v1/models`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    sent.on('error', reject).end();
  });

/** Resolves when a condition holds, checked after every turn of the event loop. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe('adapters', () => {
  test('are chosen by model, next to each other and next to the base', async () => {
    const { server, client } = await serveTiny(tiny, { adapters });
    await using _ = server;
    const names = ['tiny', 'one', 'two', 'one'];
    const found = await Promise.all(
      names.map((model) => client.completions.create({ ...asked, model })),
    );
    const expected = [await alone('It is'), await alone('It is', adapters.one)];
    expected.push(await alone('It is', adapters.two), expected[1]!);
    expect(found.map(({ choices }) => choices[0]!.text)).toEqual(expected);
    expect(new Set(expected).size).toBe(3);
    const { data } = await client.models.list();
    expect(data).toMatchObject([{ id: 'tiny' }, { id: 'one', parent: 'tiny' }, { id: 'two' }]);
    await expect(client.models.retrieve('one')).resolves.toMatchObject({ root: adapters.one });
    await expect(client.completions.create({ ...asked, model: 'three' })).rejects.toMatchObject({
      ...{ status: 404, param: 'model', code: 'model_not_found' },
    });
  });

  test('are loaded, replaced and unloaded while requests run', async () => {
    const { server, client } = await serveTiny(tiny, { adapterLoading: true });
    await using _ = server;
    const load = (lora_path: string, more = {}) =>
      post(server, '/v1/load_lora_adapter', { lora_name: 'policy', lora_path, ...more });
    const unload = () => post(server, '/v1/unload_lora_adapter', { lora_name: 'policy' });
    const loaded = await load(adapters.one);
    expect(await loaded.text()).toBe("Success: LoRA adapter 'policy' added successfully.");
    expect((await load(adapters.two)).status).toBe(400);
    const policy = { ...asked, model: 'policy' };
    const before = client.completions.create(policy);
    await until(() => server.engine.counts.live + server.engine.counts.waiting > 0);
    expect((await load(adapters.two, { load_inplace: true })).status).toBe(200);
    const after = await client.completions.create(policy);
    expect((await before).choices[0]!.text).toBe(await alone('It is', adapters.one));
    expect(after.choices[0]!.text).toBe(await alone('It is', adapters.two));
    const last = client.completions.create(policy);
    await until(() => server.engine.counts.live + server.engine.counts.waiting > 0);
    expect(await (await unload()).text()).toContain('removed successfully');
    expect((await last).choices[0]!.text).toBe(after.choices[0]!.text);
    expect((await unload()).status).toBe(404);
    expect((await load('/nowhere')).status).toBe(400);
    expect((await load(adapters.one, { lora_name: 'tiny' })).status).toBe(400);
  });

  test('are loaded from below one folder only', async () => {
    const below = join(tiny.folder, 'below');
    cpSync(adapters.one, join(below, 'one'), { recursive: true });
    symlinkSync(adapters.two, join(below, 'link'));
    cpSync(adapters.two, `${below}-too`, { recursive: true });
    const { server } = await serveTiny(tiny, { runtimeAdapters: below });
    await using _ = server;
    const load = (lora_path: string) =>
      post(server, '/v1/load_lora_adapter', { lora_name: 'one', lora_path, load_inplace: true });
    expect((await load('one')).status).toBe(200);
    expect((await load(join(below, 'one'))).status).toBe(200);
    const outside = ['../one', adapters.two, 'link', `${below}-too`, '.', 'nowhere', '/etc'];
    for (const path of outside) {
      const refused = await load(path);
      expect([path, refused.status]).toEqual([path, 400]);
      expect(await refused.text()).toContain(`no folder ${path} below`);
    }
  });

  test('are not loaded by clients by default', async () => {
    const { server } = await serveTiny(tiny);
    await using _ = server;
    const refused = await post(server, '/v1/load_lora_adapter', {
      ...{ lora_name: 'one', lora_path: adapters.one },
    });
    expect(refused.status).toBe(403);
  });
});

test('a shared beginning is computed once, and the usage says so', async () => {
  const { server, client } = await serveTiny(tiny);
  await using _ = server;
  const system = 'The cat sat on the mat and watched the rain. '.repeat(4);
  const ask = (question: string) =>
    client.completions.create({ ...asked, prompt: system + question });
  const first = await ask('Is it wet?');
  expect(first.usage!.prompt_tokens_details!.cached_tokens).toBe(0);
  const second = await ask('Why?');
  expect(second.usage!.prompt_tokens_details!.cached_tokens).toBeGreaterThan(100);
  expect(second.choices[0]!.text).toBe(await alone(`${system}Why?`));
});

test('a client that leaves ends its answers: streamed, whole, and waiting ones', async () => {
  const { server, client } = await serveTiny(tiny, { batchSize: 2 });
  await using _ = server;
  const leaving = [new AbortController(), new AbortController(), new AbortController()];
  const options = leaving.map(({ signal }) => ({ signal }));
  const stream = await client.completions.create(
    { ...asked, ...endless, stream: true },
    options[0],
  );
  const whole = client.completions.create({ ...asked, ...endless }, options[1]);
  const waiting = client.completions.create({ ...asked, ...endless }, options[2]);
  const ended = Promise.allSettled([whole, waiting]);
  for await (const _chunk of stream) break;
  await until(() => server.engine.counts.live === 2);
  for (const controller of leaving) controller.abort();
  await until(() => server.engine.counts.live + server.engine.counts.waiting === 0);
  expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const { choices } = await client.completions.create(asked);
  expect(choices[0]!.text).toBe(await alone('It is'));
});

test('a full queue is 429 with Retry-After, and too many answers are 400', async () => {
  const { server, client } = await serveTiny(tiny, { batchSize: 1, queueSize: 1 });
  await using _ = server;
  const abort = new AbortController();
  const running = [1, 2].map(() =>
    client.completions.create({ ...asked, ...endless }, { signal: abort.signal }),
  );
  const ended = Promise.allSettled(running);
  await until(() => server.engine.counts.live === 1 && server.engine.counts.waiting === 1);
  const refused = await post(server, '/v1/completions', asked);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error' } });
  expect((await post(server, '/v1/completions', { ...asked, n: 3 })).status).toBe(400);
  abort.abort();
  await ended;
});

test('bodies that are no request are refused in OpenAI’s form', async () => {
  const { server, logged } = await serveTiny(tiny, { bodyBytes: 2000 });
  await using _ = server;
  const statuses = async (answers: Promise<Response>[]) => {
    for (const answer of answers) {
      expect(await (await answer).json()).toEqual({
        error: {
          message: expect.any(String),
          type: expect.any(String),
          param: null,
          code: null,
        },
      });
    }
    return Promise.all(answers.map(async (answer) => (await answer).status));
  };
  expect(
    await statuses([
      post(server, '/v1/completions', '{"prompt": '),
      post(server, '/v1/completions', '[]'),
      post(server, '/v1/completions', '{}', { 'Content-Type': 'text/plain' }),
      post(server, '/v1/completions', { ...asked, prompt: 'a'.repeat(3000) }),
      post(server, '/v1/embeddings', { input: 'It is', model: 'tiny' }),
      post(server, '/v2/completions', asked),
      fetch(`${server.url}/v1/completions`),
    ]),
  ).toEqual([400, 400, 415, 413, 400, 404, 404]);
  expect(logged).toEqual([]);
});

describe('access', () => {
  test('needs the key, and health and the page do not', async () => {
    const { server, client } = await serveTiny(tiny, { key: 'secret' });
    await using _ = server;
    await expect(client.completions.create(asked)).resolves.toMatchObject({
      object: 'text_completion',
    });
    for (const apiKey of ['secre', 'secret2', ' ']) {
      await expect(client.withOptions({ apiKey }).models.list()).rejects.toMatchObject({
        ...{ status: 401, code: 'invalid_api_key' },
      });
    }
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    const page = await fetch(server.url);
    expect(await page.text()).toContain('<title>Keel</title>');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await fetch(`${server.url}/page/page.js`)).status).toBe(200);
    expect((await fetch(`${server.url}/page/..%2Fpackage.json`)).status).toBe(404);
    expect((await fetch(`${server.url}/metrics`)).status).toBe(401);
  });

  test('from other machines needs a key', async () => {
    await expect(startServer(tiny.model, { host: '0.0.0.0', port: 0 })).rejects.toThrow(/API key/);
    await using server = await startServer(tiny.model, { host: '0.0.0.0', port: 0, key: 'secret' });
    const headers = { Authorization: 'Bearer secret', Host: 'keel.example' };
    expect(await raw(server, headers)).toBe(200);
  });

  test('by pages of other sites is refused, unless their origin is allowed', async () => {
    const { server } = await serveTiny(tiny, { origins: ['http://my.app:3000'] });
    await using _ = server;
    expect(await raw(server, { Host: 'evil.example' })).toBe(403);
    expect(await raw(server, { Origin: 'http://evil.example' })).toBe(403);
    expect(await raw(server, { Origin: 'http://localhost:8080' })).toBe(200);
    expect(await raw(server, { Origin: 'http://my.app:3000' })).toBe(200);
  });
});

test('metrics count what happened', async () => {
  const { server, client } = await serveTiny(tiny);
  await using _ = server;
  const { usage } = await client.completions.create({ ...asked, n: 2, temperature: 1, seed: 1 });
  await post(server, '/v1/completions', '{');
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const value = (name: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))!
        .split(' ')[1],
    );
  expect(value('keel_generation_tokens_total')).toBe(usage!.completion_tokens);
  expect(value('keel_prompt_tokens_total')).toBe(usage!.prompt_tokens);
  expect(value('keel_request_duration_seconds_count')).toBe(1);
  expect(value('keel_http_requests_total{route="/v1/completions",status="400"}')).toBe(1);
  for (const line of text.trim().split('\n')) {
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{.+\})? [\d.e+-]+)$/);
  }
});

test('tokens of texts and chats, and back', async () => {
  const { server } = await serveTiny(tiny);
  await using _ = server;
  const { tokenizer } = tiny.model;
  const tokenised = await (await post(server, '/tokenize', { prompt: 'It is' })).json();
  const tokens = tokenizer.encode('It is', { addSpecialTokens: true });
  expect(tokenised).toMatchObject({ tokens, count: tokens.length, max_model_len: 2048 });
  const text = await (await post(server, '/detokenize', { tokens })).json();
  expect(text).toEqual({ prompt: 'It is' });
  const messages = [{ role: 'user', content: 'Why?' }];
  const chat = await (await post(server, '/tokenize', { messages })).json();
  const rendered = tokenizer.chatTemplate!.render(messages, { addGenerationPrompt: true });
  expect(chat).toMatchObject({ tokens: tokenizer.encode(rendered) });
  expect((await post(server, '/tokenize', {})).status).toBe(400);
});

test('closing answers what is in flight, and refuses more', async () => {
  const { server, client } = await serveTiny(tiny);
  const running = client.completions.create({
    ...asked,
    max_tokens: 200,
    ignore_eos: true,
  } as never);
  await until(() => server.engine.counts.live === 1);
  const closed = server.close();
  await expect(client.completions.create(asked)).rejects.toThrow();
  expect(((await running) as OpenAI.Completion).usage!.completion_tokens).toBe(200);
  await closed;
});

test('mixed requests, disconnects and bad bodies leave nothing behind', async () => {
  const before = await liveMemory();
  const { server, client, logged } = await serveTiny(tiny, { adapters, batchSize: 8 });
  const expected = {
    tiny: await alone('It is'),
    one: await alone('It is', adapters.one),
    two: await alone('It is', adapters.two),
  };
  const models = Object.keys(expected) as (keyof typeof expected)[];
  const kinds = [
    async (model: keyof typeof expected) => {
      const { choices } = await client.completions.create({ ...asked, model });
      expect(choices[0]!.text).toBe(expected[model]);
    },
    async (model: keyof typeof expected) => {
      const stream = await client.completions.create({ ...asked, model, stream: true });
      let text = '';
      for await (const { choices } of stream) text += choices[0]?.text ?? '';
      expect(text).toBe(expected[model]);
    },
    async (model: keyof typeof expected) => {
      const given = { ...asked, ...endless, model, stream: true as const };
      const stream = await client.completions.create(given);
      for await (const _ of stream) break;
    },
    async (model: keyof typeof expected) => {
      const given = { ...asked, model, n: 3, temperature: 1, logprobs: 2, echo: true };
      expect((await client.completions.create(given)).choices).toHaveLength(3);
    },
    async () => expect((await post(server, '/v1/completions', '{"a')).status).toBe(400),
    async () =>
      expect((await post(server, '/v1/completions', { ...asked, top_p: 7 })).status).toBe(400),
  ];
  const all = Array.from({ length: 120 }, (_, i) =>
    kinds[i % kinds.length]!(models[i % models.length]!),
  );
  await Promise.all(all);
  await until(() => server.engine.counts.live + server.engine.counts.waiting === 0);
  await server[Symbol.asyncDispose]();
  expect(logged).toEqual([]);
  expect(await liveMemory()).toEqual(before);
});
