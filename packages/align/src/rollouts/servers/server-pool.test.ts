import type { ServerResponse } from 'node:http';
import { setImmediate as breathe } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../judges/endpoint/testing/fake-clock.ts';
import { parseAddress } from './find-server.ts';
import type { PolicyFacts, ServerSampling } from './rollout-server.ts';
import { ServerPool, type ServerPoolParts } from './server-pool.ts';
import {
  openScriptedServer,
  type ScriptedReply,
  type ScriptedServer,
} from './testing/scripted-server.ts';

const facts: PolicyFacts = {
  vocabularySize: 20,
  endTokens: new Set([0]),
  probe: { text: 'a probe', tokens: [3, 4] },
  baseHash: 'abcdefabcdef0123',
  shapesDistribution: false,
};
const sampling: ServerSampling = {
  ...{ samplesPerPrompt: 3, maxNewTokens: 6, minNewTokens: 2 },
  ...{ temperature: 0.7, topK: 5, topP: 0.9 },
};
const prompts = [[5, 6], [7], [8, 9, 10], [11]].map((tokens, index) => ({ tokens, index }));
const adapter = { name: 'policy-3', folder: '/shared/policy-3' };

function poolOf(addresses: readonly string[], own: Partial<ServerPoolParts> = {}) {
  const notices: string[] = [];
  const clock = new FakeClock();
  const pool = new ServerPool({
    ...{ addresses, facts, samplesInFlight: 6, key: null, timeout: 60, clock, random: () => 1 },
    notice: (text) => void notices.push(text),
    ...own,
  });
  /** A whole batch. */
  const sample = async (with_: typeof adapter | null = adapter, own = sampling) => {
    const failures = await pool.ready(with_);
    const how = { adapter: with_?.name ?? null, sampling: own, seed: 40, failures };
    return await pool.sample(prompts, how);
  };
  return { pool, notices, clock, sample };
}

/** Number of prompts that a server was asked to answer with the adapter. */
const asked = ({ requests }: ScriptedServer): number =>
  requests.filter(({ path, body }) => path === '/v1/completions' && body.model === 'policy-3')
    .length;

/** Replaces the responses to one path. */
const at =
  (path: string, reply: (usual: unknown) => ScriptedReply | null) =>
  (request: { path: string }, usual: () => unknown): ScriptedReply | null =>
    request.path === path ? reply(usual()) : null;

describe('vLLM', () => {
  it('gets token ids, and returns token ids and log-probabilities', async () => {
    await using server = await openScriptedServer({ kind: 'vllm', tokenised: [3, 4] });
    const { sample, notices } = poolOf([server.url]);
    const answers = await sample();
    const asked = server.requests.filter(({ path }) => path === '/v1/completions').slice(1);
    const ordered = asked.map(({ body }) => body).sort((a, b) => Number(a.seed) - Number(b.seed));
    expect(ordered).toEqual(
      prompts.map(({ tokens, index }) => ({
        ...{ model: 'policy-3', prompt: tokens, n: 3, max_tokens: 6, min_tokens: 2 },
        ...{ temperature: 0.7, top_p: 0.9, top_k: 5, min_p: 0, repetition_penalty: 1 },
        ...{ presence_penalty: 0, frequency_penalty: 0, stop_token_ids: [0] },
        ...{ return_token_ids: true, logprobs: 0, seed: 40 + 3 * index },
      })),
    );
    expect(answers.map(({ length }) => length)).toEqual([3, 3, 3, 3]);
    for (const { tokens, logprobs, ended } of answers.flat()) {
      expect(tokens.length).toBe(logprobs.length);
      expect(ended).toBe(tokens.at(-1) === 0);
    }
    expect(server.requests.find(({ path }) => path === '/v1/load_lora_adapter')!.body).toEqual({
      ...{ lora_name: 'policy-3', lora_path: '/shared/policy-3', load_inplace: true },
    });
    expect(notices).toEqual([]);
    const again = await sample();
    expect(again).toEqual(answers);
    expect(server.requests.filter(({ path }) => path === '/v1/load_lora_adapter')).toHaveLength(1);
  });

  it('gets an adapter again if it cannot replace one, and forgets old ones', async () => {
    let loaded = 0;
    await using server = await openScriptedServer({
      kind: 'vllm',
      instead: at('/v1/load_lora_adapter', () => {
        loaded += 1;
        if (loaded > 1) return null;
        const message = "The lora adapter 'policy-3' has already been loaded.";
        return { status: 400, body: { object: 'error', message, type: 'InvalidUserInput' } };
      }),
    });
    const { pool, sample, notices } = poolOf([server.url]);
    await sample();
    expect(loaded).toBe(2);
    expect([...server.adapters.keys()]).toEqual(['policy-3']);
    expect(notices).toEqual([expect.stringContaining('no /tokenize')]);
    await pool.unload('policy-3');
    expect([...server.adapters.keys()]).toEqual([]);
  });

  it('loses adapters that an earlier process left', async () => {
    await using server = await openScriptedServer({ kind: 'vllm' });
    const earlier = poolOf([server.url]);
    await earlier.sample({ name: 'policy-1', folder: '/shared/policy-1' });
    const { pool, sample } = poolOf([server.url]);
    await sample();
    await pool.unloadLeftovers((name) => name.startsWith('policy-'));
    expect([...server.adapters.keys()]).toEqual(['policy-3']);
  });

  it('that loads no adapters is reported with what to do', async () => {
    await using server = await openScriptedServer({
      kind: 'vllm',
      instead: at('/v1/load_lora_adapter', () => ({ status: 404, body: { detail: 'Not Found' } })),
    });
    const { sample } = poolOf([server.url]);
    await expect(sample()).rejects.toThrow(
      /404: Not Found\. Start vLLM with --enable-lora and VLLM/,
    );
  });

  it('with other log-probabilities or another tokenizer is refused', async () => {
    await using raw = await openScriptedServer({
      kind: 'vllm',
      instead: at('/v1/completions', (usual) => {
        const { choices } = usual as { choices: object[] };
        const logprobs = { token_logprobs: [-0.4] };
        return { status: 200, body: { choices: choices.map((one) => ({ ...one, logprobs })) } };
      }),
    });
    const shaped = poolOf([raw.url], { facts: { ...facts, shapesDistribution: true } });
    await expect(shaped.pool.ready(null)).rejects.toThrow(
      /cannot be used: .* Start vLLM with --logprobs-mode processed_logprobs/,
    );
    await poolOf([raw.url]).pool.ready(null);
    await using other = await openScriptedServer({ kind: 'vllm', tokenised: [3, 5] });
    await expect(poolOf([other.url]).pool.ready(null)).rejects.toThrow(
      'its tokenizer is not the policy\'s: "a probe" has the tokens 3 5 there, and 3 4 here',
    );
  });
});

it('SGLang gets input_ids, and returns output_token_logprobs', async () => {
  await using server = await openScriptedServer({ kind: 'sglang' });
  const { sample } = poolOf([server.url]);
  const answers = await sample();
  const asked = server.requests.filter(({ path }) => path === '/generate').slice(1);
  expect(asked.map(({ body }) => body)).toContainEqual({
    input_ids: [8, 9, 10],
    sampling_params: {
      ...{ n: 3, max_new_tokens: 6, min_new_tokens: 2, temperature: 0.7, top_p: 0.9, top_k: 5 },
      ...{ min_p: 0, repetition_penalty: 1, presence_penalty: 0, frequency_penalty: 0 },
      stop_token_ids: [0],
    },
    ...{ return_logprob: true, lora_path: 'policy-3' },
  });
  expect(answers.map(({ length }) => length)).toEqual([3, 3, 3, 3]);
  for (const { tokens, logprobs } of answers.flat()) {
    expect(tokens.length).toBe(logprobs.length);
    for (const one of logprobs) expect(one).toBeLessThan(0);
  }
  expect([...server.adapters]).toEqual([['policy-3', '/shared/policy-3']]);
});

it('an SGLang server that refuses an adapter is reported with its words', async () => {
  await using server = await openScriptedServer({
    kind: 'sglang',
    instead: at('/load_lora_adapter', () => ({
      ...{ status: 200, body: { success: false, error_message: 'rank 64 exceeds 16' } },
    })),
  });
  await expect(poolOf([server.url]).sample()).rejects.toThrow('rank 64 exceeds 16');
});

describe('the kind of a server', () => {
  it.each([
    ['vllm', '/version', '/v1/completions'],
    ['sglang', '/server_info', '/generate'],
  ] as const)('%s is found by %s if its list of models names no owner', async (kind, path, used) => {
    await using server = await openScriptedServer({
      kind,
      instead: at('/v1/models', () => ({ status: 200, body: { data: [{ id: 'base' }] } })),
    });
    await poolOf([`${server.url}/v1/`]).sample(null);
    const paths = server.requests.map((request) => request.path);
    expect(paths).toContain(path);
    expect(paths).toContain(used);
  });

  it('is given before the address', async () => {
    expect(parseAddress('sglang+http://one:30000')).toEqual({
      ...{ kind: 'sglang', url: 'http://one:30000' },
    });
    await using server = await openScriptedServer({ kind: 'sglang' });
    await poolOf([server.url.replace('http', 'sglang+http')]).pool.ready(null);
    expect(server.requests.map(({ path }) => path)).toEqual([
      ...['/v1/models', '/tokenize', '/generate'],
    ]);
  });

  it('that is not known is an error', async () => {
    await using server = await openScriptedServer({
      kind: 'vllm',
      instead: ({ path }) =>
        path === '/v1/models'
          ? { status: 200, body: { data: [{ id: 'x', owned_by: 'llamacpp' }] } }
          : { status: 404, body: '' },
    });
    await expect(poolOf([server.url]).pool.ready(null)).rejects.toThrow(
      'neither keel serve, nor vLLM, nor SGLang',
    );
  });
});

describe('a server that fails', () => {
  it('is asked again, then left out of the batch, and asked again for the next one', async () => {
    let broken = true;
    await using bad = await openScriptedServer({
      kind: 'vllm',
      instead: ({ path, body }) =>
        broken && path === '/v1/completions' && body.model === 'policy-3'
          ? { status: 500, body: { error: { message: 'out of memory' } } }
          : null,
    });
    await using good = await openScriptedServer({ kind: 'vllm' });
    const { sample, notices, clock } = poolOf([bad.url, good.url]);
    const answers = await sample();
    expect(answers.map(({ length }) => length)).toEqual([3, 3, 3, 3]);
    // Two requests at the same time, each repeated twice.
    expect(clock.waits.toSorted()).toEqual([1000, 1000, 2000, 2000]);
    expect(notices.at(-1)).toBe(
      `the rollout server ${bad.url} is left out of this batch: /v1/completions returned 500: out of memory`,
    );
    broken = false;
    const before = bad.requests.length;
    expect(await sample()).toEqual(answers);
    const paths = bad.requests.slice(before).map(({ path }) => path);
    expect(paths).toContain('/v1/load_lora_adapter');
    expect(paths).toContain('/v1/completions');
  });

  it('by hanging is not waited for twice', async () => {
    let hanging: ServerResponse | null = null;
    await using bad = await openScriptedServer({
      kind: 'vllm',
      instead: ({ path, body }) =>
        path === '/v1/completions' && body.model === 'policy-3'
          ? (response) => {
              hanging = response;
            }
          : null,
    });
    await using good = await openScriptedServer({ kind: 'vllm' });
    const { sample, notices, clock } = poolOf([bad.url, good.url], { samplesInFlight: 1 });
    const sampled = sample();
    // Time passes once everything else is answered.
    while (hanging === null || clock.openDeadlines > 1 || asked(good) < 3) await breathe();
    clock.expire();
    expect((await sampled).map(({ length }) => length)).toEqual([3, 3, 3, 3]);
    expect(clock.waits).toEqual([]);
    expect(notices.at(-1)).toContain('/v1/completions took more than 60 s');
  });

  it('within a body is asked again', async () => {
    let requests = 0;
    await using server = await openScriptedServer({
      kind: 'vllm',
      instead: at('/v1/models', () => {
        requests += 1;
        if (requests > 1) return null;
        return (response) => {
          response.writeHead(200, { 'content-length': 100 });
          response.write('{"data":', () => response.destroy());
        };
      }),
    });
    const { pool, clock } = poolOf([server.url]);
    await pool.ready(null);
    expect(clock.waits).toEqual([1000]);
  });

  it('is named with what it said, if no other is left', async () => {
    const closed = await openScriptedServer({ kind: 'vllm' });
    await closed.close();
    await using bad = await openScriptedServer({
      kind: 'sglang',
      instead: () => ({ status: 503, body: { message: 'loading' } }),
    });
    const { pool, clock } = poolOf([closed.url, bad.url]);
    const error = await pool.ready(null).catch((one: Error) => one);
    expect((error as Error).message).toMatch(/^no rollout server could sample:/);
    expect((error as Error).message).toMatch(new RegExp(`${closed.url}: .*ECONNREFUSED`));
    expect((error as Error).message).toContain(`${bad.url}: /v1/models returned 503: loading`);
    expect((error as Error).message).toContain('continue with --resume');
    expect(clock.waits).toHaveLength(4);
    // The next batch asks once.
    await expect(pool.ready(null)).rejects.toThrow('no rollout server');
    expect(clock.waits).toHaveLength(4);
  });

  it('is not waited for once the run is to stop', async () => {
    const stop = new AbortController();
    await using server = await openScriptedServer({
      kind: 'vllm',
      instead: at('/v1/models', () => () => stop.abort(new Error('stopped'))),
    });
    await expect(poolOf([server.url]).pool.ready(null, stop.signal)).rejects.toThrow('stopped');
  });
});

describe('answers are refused', () => {
  const choice = (own: object) => ({
    ...{ index: 0, token_ids: [4, 0], finish_reason: 'stop' },
    logprobs: { token_logprobs: [-1, -2] },
    ...own,
  });
  it.each([
    ['without token ids', [choice({ token_ids: undefined })], 'does not know return_token_ids'],
    ['of no tokens', [choice({ token_ids: [] })], 'has no token ids'],
    ['without log-probabilities', [choice({ logprobs: null })], 'has no log-probabilities'],
    [
      'with fewer log-probabilities than tokens',
      [choice({ logprobs: { token_logprobs: [-1] } })],
      'has 2 tokens, but 1 log-probabilities',
    ],
    [
      'with a log-probability that is no number',
      [choice({ logprobs: { token_logprobs: [-1, null] } })],
      'has the log-probability null',
    ],
    [
      'of more tokens than were asked for',
      [choice({ token_ids: [1, 2, 3, 4], logprobs: { token_logprobs: [-1, -1, -1, -1] } })],
      'has 4 tokens, but at most 3 were asked for',
    ],
    [
      'that were cut off early',
      [choice({ token_ids: [4, 5], finish_reason: 'length' })],
      "was cut off after 2 of 3 tokens: the server's context is too short",
    ],
    [
      'that stopped at another token',
      [choice({ token_ids: [4, 5] })],
      'stopped after token 5, which ends no answer of the policy (0)',
    ],
    ['that were aborted', [choice({ finish_reason: 'abort' })], 'ended with "abort"'],
    ['if there are too few', [], 'returned 0 answers instead of 1'],
    ['of another vocabulary', [choice({ token_ids: [20, 0] })], "the policy's tokens are 0 to 19"],
  ])('%s', async (_, choices, message) => {
    await using server = await openScriptedServer({
      kind: 'vllm',
      instead: ({ path, body }) =>
        path === '/v1/completions' && body.model === 'policy-3'
          ? { status: 200, body: { choices } }
          : null,
    });
    const { sample } = poolOf([server.url]);
    const own = { ...sampling, samplesPerPrompt: 1, maxNewTokens: 3 };
    await expect(sample(adapter, own)).rejects.toThrow(message);
  });
});

it('the key goes to the server, and into no message', async () => {
  const key = 'a-secret-of-the-server';
  await using server = await openScriptedServer({
    kind: 'vllm',
    instead: ({ headers }) => ({ status: 401, body: { error: `wrong: ${headers.authorization}` } }),
  });
  const { pool } = poolOf([server.url], { key });
  const error = (await pool.ready(null).catch((one) => one)) as Error;
  expect(server.requests[0]!.headers.authorization).toBe(`Bearer ${key}`);
  expect(error.message).toContain('401: wrong: Bearer [key]');
  expect(error.message).not.toContain(key);
});
