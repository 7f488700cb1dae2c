import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../config/config-error.ts';
import { EndpointClient, type EndpointOptions, openEndpoint } from './endpoint-client.ts';
import type { BudgetError, EndpointError } from './endpoint-error.ts';
import { type EndpointSpec, endpointSchema } from './endpoint-spec.ts';
import { FakeClock } from './testing/fake-clock.ts';
import {
  openScriptedEndpoint,
  type Reply,
  type Script,
  type ScriptedEndpoint,
} from './testing/scripted-endpoint.ts';

const SECRET = 'sk-very-secret-0123456789';
const hello = [{ role: 'user', content: 'Hello' }];

interface Opened {
  client: EndpointClient;
  clock: FakeClock;
  notices: string[];
}

function open(
  endpoint: Pick<ScriptedEndpoint, 'url'>,
  spec: Partial<EndpointSpec> = {},
  options: EndpointOptions = {},
): Opened {
  const clock = new FakeClock();
  const notices: string[] = [];
  const client = openEndpoint(
    { model: 'm', base_url: endpoint.url, ...spec },
    {
      ...{ clock, random: () => 1, environment: {} },
      notice: (text, code) => notices.push(`${code}: ${text}`),
      ...options,
    },
  );
  return { client, clock, notices };
}

const errorOf = async <E = EndpointError>(work: Promise<unknown>): Promise<E> => {
  try {
    await work;
  } catch (error) {
    return error as E;
  }
  throw new Error('no error');
};

/** Answers in this order; the last one stays. */
const inOrder =
  (...replies: Reply[]): Script =>
  (_, index) =>
    replies[Math.min(index, replies.length - 1)]!;

describe('a completion', () => {
  it('has text, finish reason, usage and token log-probabilities', async () => {
    await using endpoint = await openScriptedEndpoint(
      (): Reply => ({
        tokens: [
          { token: 'Grüß', top: { Grüß: 0.5, ' Hi': 0.25 } },
          { token: ' 你好 🙂', top: { ' 你好 🙂': 1 } },
        ],
        usage: { prompt: 7, answer: 3 },
      }),
    );
    const { client } = open(endpoint);
    const found = await client.complete(hello, { logprobs: true });
    expect(found.text).toBe('Grüß 你好 🙂');
    expect(found.finish).toBe('stop');
    expect(found.usage).toEqual({ prompt: 7, answer: 3 });
    expect(found.tokens).toHaveLength(2);
    expect(found.tokens![0]!.top.map(({ token }) => token)).toEqual(['Grüß', ' Hi']);
    expect(found.tokens![0]!.top[1]!.logprob).toBeCloseTo(Math.log(0.25), 12);
    expect(client.spent).toMatchObject({ calls: 1, promptTokens: 7, answerTokens: 3, cost: 0 });
  });

  it('is asked for with what the spec says, and nothing else', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({ text: 'x' }));
    const { client, clock } = open(
      endpoint,
      {
        seed: 3,
        max_tokens: 5,
        extra_body: { top_k: 1, id: 2n ** 64n },
        timeout: 7,
        api_key_env: 'MY_KEY',
      },
      {
        environment: {
          ...{ MY_KEY: ` ${SECRET}\n`, OPENAI_API_KEY: 'sk-other', OPENAI_ADMIN_KEY: 'sk-admin' },
          OPENAI_ORG_ID: 'org',
        },
      },
    );
    await client.complete(hello, { stop: ['\n'] });
    expect(endpoint.requests).toEqual([
      {
        ...{ model: 'm', messages: hello, temperature: 0, seed: 3, max_tokens: 5, top_k: 1 },
        id: 2 ** 64,
        stop: ['\n'],
      },
    ]);
    expect(clock.limits).toEqual([7000]);
    const [headers] = endpoint.headers;
    expect(headers!.authorization).toBe(`Bearer ${SECRET}`);
    expect(headers!['user-agent']).toBe('keel');
    expect(Object.keys(headers!).filter((name) => /stainless|openai/.test(name))).toEqual([]);
  });

  it('sends no key to a server that the spec names without one', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({ text: 'x' }));
    const { client } = open(endpoint, {}, { environment: { OPENAI_API_KEY: SECRET } });
    await client.complete(hello);
    expect(endpoint.headers[0]!.authorization).toBeUndefined();
  });

  it('counts tokens by estimate where usage is absent, and says so once', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({ text: 'abcdef', usage: null }));
    const { client, notices } = open(endpoint);
    await client.complete(hello);
    await client.complete(hello);
    expect(client.spent).toMatchObject({ calls: 2, estimated: 2, answerTokens: 4 });
    expect(client.spent.promptTokens).toBeGreaterThan(0);
    expect(notices.filter((text) => text.startsWith('endpoint-usage'))).toHaveLength(1);
  });

  it('takes no more requests at a time than allowed', async () => {
    await using endpoint = await openScriptedEndpoint(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return { text: 'x' };
    });
    const { client } = open(endpoint, { concurrency: 3 });
    await Promise.all(Array.from({ length: 20 }, () => client.complete(hello)));
    expect(endpoint.requests).toHaveLength(20);
    expect(endpoint.mostAtOnce).toBeGreaterThan(1);
    expect(endpoint.mostAtOnce).toBeLessThanOrEqual(3);
  });
});

describe('a request that fails for a while', () => {
  const cases: [string, Reply, string][] = [
    ['500', { status: 500, body: { error: { message: 'oops' } } }, 'server-error'],
    ['502 with a web page', { status: 502, body: '<html>Bad gateway</html>' }, 'server-error'],
    ['503', { status: 503 }, 'server-error'],
    ['429', { status: 429 }, 'rate-limited'],
    ['HTML with status 200', { status: 200, body: '<html><p>Sign in</p></html>' }, 'malformed'],
    ['garbage', { status: 200, body: '{"choices": [' }, 'malformed'],
    ['nothing', { status: 200 }, 'malformed'],
    ['another object', { status: 200, body: { ok: true } }, 'malformed'],
    ['a list', { status: 200, body: [1] }, 'malformed'],
    ['no choices', { status: 200, body: { choices: [] } }, 'malformed'],
    [
      'two choices',
      { status: 200, body: { choices: [0, 1].map(() => ({ message: { content: 'x' } })) } },
      'malformed',
    ],
    ['a status of its own', (response) => response.writeHead(777).end('x'), 'malformed'],
    ['more than anyone can read', { status: 200, body: 'x'.repeat(33 * 1024 * 1024) }, 'malformed'],
    ['no HTTP', (response) => response.socket!.end('Hello\r\n\r\n'), 'malformed'],
    ['a connection that closes', (response) => response.socket!.destroy(), 'cut-off'],
    [
      'half a body',
      (response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"choices": [', () => response.socket!.destroy());
      },
      'cut-off',
    ],
    [
      'half a stream',
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: {"choices": [', () => response.socket!.destroy());
      },
      'cut-off',
    ],
  ];

  it.each(cases)('succeeds after %s', async (_, reply) => {
    await using endpoint = await openScriptedEndpoint(inOrder(reply, reply, { text: 'fine' }));
    const { client, clock } = open(endpoint);
    expect((await client.complete(hello)).text).toBe('fine');
    expect(endpoint.requests).toHaveLength(3);
    expect(clock.waits).toEqual([1000, 2000]);
  });

  it.each(cases)('is an error after all attempts: %s', async (_, reply, code) => {
    await using endpoint = await openScriptedEndpoint(() => reply);
    const { client } = open(endpoint, { retries: 2 });
    const error = await errorOf(client.complete(hello));
    expect(error).toMatchObject({ name: 'EndpointError', code, attempts: 3, transient: true });
    expect(error.scope).toBe('request');
    expect(error.message).toContain(`m at ${endpoint.url}`);
    expect(endpoint.requests).toHaveLength(3);
  });

  it('waits longer each time, at most a minute', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({ status: 500 }));
    const { client, clock } = open(endpoint, { retries: 8 }, { random: () => 0 });
    await errorOf(client.complete(hello));
    expect(clock.waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it.each([
    ['seconds', '20'],
    ['a date', 'Thu, 01 Jan 2026 00:00:20 GMT'],
  ])('waits as long as Retry-After says, in %s', async (_, value) => {
    const busy = { status: 429, headers: { 'retry-after': value } };
    await using endpoint = await openScriptedEndpoint(inOrder(busy, { text: 'fine' }));
    const { client, clock, notices } = open(endpoint);
    await client.complete(hello);
    expect(clock.waits).toEqual([20_100]);
    expect(notices).toEqual([expect.stringMatching(/^endpoint-wait: .*429.*20 s/)]);
  });

  it('does not wait for hours', async () => {
    const busy = { status: 429, headers: { 'retry-after': '7200' } };
    await using endpoint = await openScriptedEndpoint(() => busy);
    const { client, clock } = open(endpoint);
    expect(await errorOf(client.complete(hello))).toMatchObject({ code: 'rate-limited' });
    expect(clock.waits).toEqual([]);
  });

  it('makes the others wait too where the rate is limited', async () => {
    await using endpoint = await openScriptedEndpoint((_, index) =>
      index === 0 ? { status: 429, headers: { 'retry-after': '30' } } : { text: 'fine' },
    );
    const { client, clock } = open(endpoint, { concurrency: 1 });
    await client.complete(hello);
    await client.complete(hello);
    expect(clock.waits).toEqual([30_100]);
  });

  it('ends when its time is over, also while a body trickles in', async () => {
    const late = Promise.withResolvers<void>();
    await using endpoint = await openScriptedEndpoint((_, index) => {
      if (index > 0) return { text: 'fine' };
      return (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{', () => late.resolve());
      };
    });
    const { client, clock } = open(endpoint, { timeout: 9 });
    const work = client.complete(hello);
    await late.promise;
    clock.expire();
    expect((await work).text).toBe('fine');
    expect(clock.limits).toEqual([9000, 9000]);
    // It may have been charged.
    expect(client.spent).toMatchObject({ calls: 1, estimated: 1 });
    expect(client.spent.promptTokens).toBeGreaterThan(10);
  });

  it('is an error with code "timeout" if no answer comes', async () => {
    const asked = Promise.withResolvers<void>();
    await using endpoint = await openScriptedEndpoint(() => () => asked.resolve());
    const { client, clock } = open(endpoint, { retries: 0 });
    const work = errorOf(client.complete(hello));
    await asked.promise;
    clock.expire();
    expect(await work).toMatchObject({ code: 'timeout', transient: true });
  });

  it('stops all after five in a row', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({ status: 503 }));
    const { client } = open(endpoint, { retries: 1 });
    for (let index = 0; index < 5; index++) {
      expect(await errorOf(client.complete(hello))).toMatchObject({ scope: 'request' });
    }
    expect(await errorOf(client.complete(hello))).toMatchObject({ scope: 'endpoint' });
    expect(endpoint.requests).toHaveLength(10);
  });
});

describe('a request that cannot succeed', () => {
  it.each([
    [401, 'unauthorised'],
    [402, 'unauthorised'],
    [403, 'unauthorised'],
    [404, 'not-found'],
    [304, 'not-found'],
    [418, 'rejected'],
  ])('fails at once: %d', async (status, code) => {
    await using endpoint = await openScriptedEndpoint(() => ({
      ...{ status, body: { error: { message: 'no, no' } } },
    }));
    const { client } = open(endpoint);
    const error = await errorOf(client.complete(hello));
    expect(error).toMatchObject({ code, status, scope: 'endpoint', transient: false });
    expect(endpoint.requests).toHaveLength(1);
  });

  it('names the variable of the key, and never the key', async () => {
    await using endpoint = await openScriptedEndpoint((_, index) => ({
      status: index === 0 ? 401 : 400,
      body: { error: { message: `Incorrect API key provided: ${SECRET}` } },
    }));
    const options = { environment: { JUDGE_KEY: SECRET } };
    const { client } = open(endpoint, { api_key_env: 'JUDGE_KEY' }, options);
    for (const [code, part] of [
      ['unauthorised', 'JUDGE_KEY'],
      ['rejected', 'Incorrect'],
    ]) {
      const error = await errorOf(client.complete(hello));
      expect(error.code).toBe(code);
      expect(error.message).toContain(part);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(SECRET);
    }
    const without = open(endpoint).client;
    expect((await errorOf(without.complete(hello))).message).not.toContain('JUDGE_KEY');
  });

  it('has no key in its text if the server repeats it', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({ text: `Bearer ${SECRET}` }));
    const options = { environment: { JUDGE_KEY: SECRET } };
    const { client } = open(endpoint, { api_key_env: 'JUDGE_KEY' }, options);
    expect((await client.complete(hello)).text).toBe('Bearer [key]');
  });

  it('advises to name a variable where no key was sent', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({ status: 401 }));
    const error = await errorOf(open(endpoint).client.complete(hello));
    expect(error.message).toContain('api_key_env');
  });

  it('follows no redirection', async () => {
    await using other = await openScriptedEndpoint(() => ({ text: 'x' }));
    await using endpoint = await openScriptedEndpoint(() => ({
      ...{ status: 307, headers: { location: `${other.url}/chat/completions` } },
    }));
    const error = await errorOf(open(endpoint).client.complete(hello));
    expect(error).toMatchObject({ code: 'not-found', status: 307 });
    expect(error.message).toContain(other.url);
    expect(other.requests).toEqual([]);
  });

  it('fails at once where nothing listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const { client, clock } = open({ url: `http://127.0.0.1:${port}/v1` });
    const error = await errorOf(client.complete(hello));
    expect(error).toMatchObject({ code: 'unreachable', scope: 'endpoint' });
    expect(error.message).toContain('ECONNREFUSED');
    expect(clock.waits).toEqual([]);
  });

  it.each([
    ['OpenAI', { error: { message: 'x', code: 'context_length_exceeded' } }, 'too-long'],
    ['llama.cpp', { error: { message: 'x', type: 'exceed_context_size_error' } }, 'too-long'],
    [
      'vLLM',
      { message: "This model's maximum context length is 4096 tokens, max_tokens …" },
      'too-long',
    ],
    ['Azure', { error: { message: 'x', code: 'content_filter' } }, 'filtered'],
  ])('is about one request: %s', async (_, body, code) => {
    await using endpoint = await openScriptedEndpoint(() => ({ status: 400, body }));
    const error = await errorOf(open(endpoint).client.complete(hello));
    expect(error).toMatchObject({ code, scope: 'request', transient: false });
  });

  it('is about one request if others were answered', async () => {
    await using endpoint = await openScriptedEndpoint(inOrder({ text: 'x' }, { status: 400 }));
    const { client } = open(endpoint);
    await client.complete(hello);
    expect(await errorOf(client.complete(hello))).toMatchObject({ scope: 'request' });
  });

  it('fails at once where the quota is used up', async () => {
    const body = { error: { message: 'x', code: 'insufficient_quota' } };
    await using endpoint = await openScriptedEndpoint(() => ({ status: 429, body }));
    const { client, clock } = open(endpoint);
    expect(await errorOf(client.complete(hello))).toMatchObject({ code: 'unauthorised' });
    expect(clock.waits).toEqual([]);
  });

  it('fails at once where the server speaks no TLS', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({ text: 'x' }));
    const { client } = open({ url: endpoint.url.replace('http:', 'https:') });
    const error = await errorOf(client.complete(hello));
    expect(error).toMatchObject({ code: 'unreachable', scope: 'endpoint', transient: false });
    expect(error.message).toMatch(/SSL|TLS/);
  });

  it('is aborted while it waits for its turn, for the budget, or to be repeated', async () => {
    const asked = Promise.withResolvers<void>();
    await using endpoint = await openScriptedEndpoint((_, index) =>
      index === 0 ? () => asked.resolve() : { status: 503 },
    );
    const reason = new Error('enough');
    for (const [spec, count] of [
      [{ concurrency: 1 }, 3],
      [{ budget: { tokens: 1500 } }, 3],
    ] as const) {
      const { client } = open(endpoint, spec);
      const controller = new AbortController();
      const all = Array.from({ length: count }, () =>
        errorOf(client.complete(hello, { signal: controller.signal })),
      );
      await asked.promise;
      controller.abort(reason);
      expect(await Promise.all(all)).toEqual(new Array(count).fill(reason));
    }
    const controller = new AbortController();
    const clock = new (class extends FakeClock {
      override async wait(): Promise<void> {
        controller.abort(reason);
        controller.signal.throwIfAborted();
      }
    })();
    const { client } = open(endpoint, {}, { clock });
    expect(await errorOf(client.complete(hello, { signal: controller.signal }))).toBe(reason);
  });

  it('is aborted', async () => {
    const asked = Promise.withResolvers<void>();
    await using endpoint = await openScriptedEndpoint(() => () => asked.resolve());
    const { client } = open(endpoint);
    const controller = new AbortController();
    const work = errorOf(client.complete(hello, { signal: controller.signal }));
    await asked.promise;
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await work).toBe(reason);
    expect(client.spent.calls).toBe(0);
  });
});

describe('what an endpoint does not accept', () => {
  const refuses =
    (...names: string[]): Script =>
    (request) => {
      const name = names.find((one) => Object.hasOwn(request, one));
      if (name === undefined) return { text: 'fine' };
      return { status: 400, body: { error: { message: `Unsupported: '${name}'`, param: name } } };
    };

  it('is left out, once and for all', async () => {
    const names = ['logprobs', 'response_format', 'temperature', 'seed', 'stop', 'max_tokens'];
    await using endpoint = await openScriptedEndpoint(refuses(...names));
    const { client, notices } = open(endpoint, { seed: 1 });
    const options = { logprobs: true, schema: { name: 's', schema: {} }, stop: ['x'] };
    const found = await client.complete(hello, options);
    expect(found).toMatchObject({ text: 'fine', tokens: null });
    expect(endpoint.requests).toHaveLength(7);
    expect(endpoint.requests.at(-1)).toEqual({
      ...{ model: 'm', messages: hello, max_completion_tokens: 1024 },
    });
    expect(notices.filter((text) => text.startsWith('endpoint-feature'))).toHaveLength(6);
    await client.complete(hello, options);
    expect(endpoint.requests).toHaveLength(8);
  });

  it('is asked for in a smaller number first', async () => {
    await using endpoint = await openScriptedEndpoint(({ top_logprobs }) =>
      (top_logprobs as number) > 5
        ? { status: 422, body: { detail: 'top_logprobs must be at most 5' } }
        : { tokens: [{ token: 'A', top: { A: 1 } }] },
    );
    const { client } = open(endpoint);
    const both = [0, 1].map(() => client.complete(hello, { logprobs: true }));
    expect((await Promise.all(both)).map(({ tokens }) => tokens?.length)).toEqual([1, 1]);
    expect(client.features.topLogprobs).toBe(5);
  });

  it('is an error for a caller who insists', async () => {
    await using endpoint = await openScriptedEndpoint(refuses('logprobs'));
    const { client } = open(endpoint);
    const work = client.complete(hello, { logprobs: true, insist: ['logprobs'] });
    expect(await errorOf(work)).toMatchObject({ code: 'unsupported', scope: 'request' });
  });

  it('is noticed where the endpoint ignores it', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({ text: 'A' }));
    const { client, notices } = open(endpoint);
    const insisting = client.complete(hello, { logprobs: true, insist: ['logprobs'] });
    expect(await errorOf(insisting)).toMatchObject({ code: 'unsupported' });
    // The ignored request was answered, and is charged.
    expect(client.spent.calls).toBe(1);
    const again = client.complete(hello, { logprobs: true, insist: ['logprobs'] });
    expect(await errorOf(again)).toMatchObject({ code: 'unsupported' });
    expect(endpoint.requests).toHaveLength(1);
    expect((await client.complete(hello, { logprobs: true })).tokens).toBeNull();
    expect(endpoint.requests[1]!.logprobs).toBeUndefined();
    expect(notices).toHaveLength(1);
  });

  it('is an error if a refusal names nothing that can be left out', async () => {
    const body = { error: { message: 'tools are missing', param: 'tools' } };
    await using endpoint = await openScriptedEndpoint(() => ({ status: 400, body }));
    const error = await errorOf(open(endpoint).client.complete(hello));
    expect(error).toMatchObject({ code: 'rejected', status: 400 });
    expect(error.message).toContain('tools are missing');
  });
});

describe('a budget', () => {
  it('in tokens ends before a call that may not fit', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({
      ...{ text: 'x', usage: { prompt: 6, answer: 4 } },
    }));
    // A call is estimated at 2 + 8 tokens in the prompt and 10 in the answer, and uses 10.
    const { client } = open(endpoint, { max_tokens: 10, budget: { tokens: 50 } });
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => client.complete(hello)));
    const done = all.filter(({ status }) => status === 'fulfilled');
    expect(done).toHaveLength(4);
    expect(client.spent).toMatchObject({ calls: 4, promptTokens: 24, answerTokens: 16 });
    expect(endpoint.requests).toHaveLength(4);
    for (const one of all) {
      if (one.status === 'fulfilled') continue;
      const error = one.reason as BudgetError;
      expect(error.name).toBe('BudgetError');
      expect(error.spent).toEqual(client.spent);
      expect(error.message).toMatch(/40 of 50/);
    }
  });

  it('in money counts both prices', async () => {
    await using endpoint = await openScriptedEndpoint(() => ({
      ...{ text: 'x', usage: { prompt: 100, answer: 10 } },
    }));
    const { client } = open(endpoint, {
      ...{ max_tokens: 10, concurrency: 1, prices: { prompt: 2, answer: 30 } },
      budget: { money: 0.0011 },
    });
    await client.complete(hello);
    expect(client.spent.cost).toBeCloseTo(0.0005, 12);
    await client.complete(hello);
    const error = await errorOf<BudgetError>(client.complete(hello));
    expect(error.name).toBe('BudgetError');
    expect(error.spent).toMatchObject({ calls: 2 });
    expect(endpoint.requests).toHaveLength(2);
  });

  it('is not used by requests that were refused', async () => {
    await using endpoint = await openScriptedEndpoint(inOrder({ status: 500 }, { text: 'x' }));
    const { client } = open(endpoint, { budget: { tokens: 2000 } });
    await client.complete(hello);
    expect(client.spent).toMatchObject({ calls: 1, estimated: 0, promptTokens: 10 });
  });

  it('in money needs prices', () => {
    const parsed = endpointSchema.safeParse({ model: 'm', budget: { money: 1 } });
    expect(parsed.error!.issues[0]).toMatchObject({ path: ['budget', 'money'] });
  });
});

describe('keys and addresses', () => {
  const spec = (keys: Partial<EndpointSpec>) => endpointSchema.parse({ model: 'm', ...keys });

  it('name the variable that is not set', () => {
    for (const [keys, name] of [
      [{}, 'OPENAI_API_KEY'],
      [{ api_key_env: 'MY_KEY', base_url: 'http://localhost/v1' }, 'MY_KEY'],
    ] as const) {
      expect(() => new EndpointClient(spec(keys), { environment: {} })).toThrow(ConfigError);
      expect(() => new EndpointClient(spec(keys), { environment: {} })).toThrow(name);
    }
  });

  it('do not repeat a key with characters that no header can have', () => {
    const environment = { OPENAI_API_KEY: `${SECRET}\nand more` };
    expect(() => new EndpointClient(spec({}), { environment })).toThrow(/OPENAI_API_KEY/);
    expect(() => new EndpointClient(spec({}), { environment })).not.toThrow(SECRET);
  });

  it('come from the environment where the spec has none', () => {
    const environment = { OPENAI_BASE_URL: 'http://localhost:9/v1/' };
    expect(new EndpointClient(spec({}), { environment }).baseUrl).toBe('http://localhost:9/v1');
  });

  it.each([
    ['a key instead of a name', { api_key_env: 'sk-abc' }],
    ['a password', { base_url: 'http://me:secret@host/v1' }],
    ['a query', { base_url: 'http://host/v1?api-key=secret' }],
    ['another protocol', { base_url: 'file:///etc/passwd' }],
    ['no address', { base_url: 'localhost:8000' }],
    ['a field of its own', { extra_body: { stream: true } }],
  ])('are refused with %s', (_, keys) => {
    const parsed = endpointSchema.safeParse({ model: 'm', ...keys });
    expect(parsed.success).toBe(false);
    expect(parsed.error!.issues[0]!.path).toEqual([Object.keys(keys)[0]]);
  });
});
