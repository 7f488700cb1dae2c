import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PythonFloat } from '@keel/model/exact-json';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEndpointJudge } from '../endpoint/endpoint-judge.ts';
import { openScriptedEndpoint } from '../endpoint/testing/scripted-endpoint.ts';
import type { AnswerRating, Judge, JudgedPair, NoVerdict, PairVerdict } from '../judge.ts';
import { type CachedJudge, type CacheOptions, withCache } from './with-cache.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keel-verdicts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const usage = { promptTokens: 10, answerTokens: 1, cost: 0.5 };
const free = { promptTokens: 0, answerTokens: 0, cost: 0 };

const pairOf = (prompt: string, answers: [string, string] = ['Grüß', '🙂']): JudgedPair => ({
  prompt,
  answers,
  extra: {},
});

const verdict: PairVerdict = {
  ...{ first: 0.1 + 0.2, tie: 1e-17, why: 'Because.\n' },
  exchanges: [
    {
      asked: [{ role: 'user', content: 'Grüß\u2028' }],
      ...{ said: 'A', probabilities: { A: 0.3, B: 0.7 } },
    },
  ],
  usage,
};

interface Asked {
  judge: Judge;
  asked: string[];
}

function judgeOf(
  compare: (
    pair: JudgedPair,
    signal?: AbortSignal,
  ) => Promise<PairVerdict | NoVerdict> = async () => verdict,
  identity = 'id',
): Asked {
  const asked: string[] = [];
  return {
    asked,
    judge: {
      ...{ name: 'j', identity, concurrency: 4, seesOrder: true },
      compare(pair, signal) {
        asked.push(pair.prompt as string);
        return compare(pair, signal);
      },
      async [Symbol.asyncDispose]() {},
    },
  };
}

function open(
  judge: Judge,
  options: CacheOptions = {},
): { cached: CachedJudge; notices: string[] } {
  const notices: string[] = [];
  const notice = (text: string, code: string) => notices.push(`${code}: ${text}`);
  return { cached: withCache(judge, folder, { notice, ...options }), notices };
}

const filesIn = (): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => join(folder, name));

describe('a cached verdict', () => {
  it('is the same to the last bit, costs nothing, and is not asked for again', async () => {
    const { judge, asked } = judgeOf();
    {
      await using cached = open(judge).cached;
      expect(await cached.compare!(pairOf('p'))).toEqual(verdict);
      expect(await cached.compare!(pairOf('p'))).toEqual({ ...verdict, usage: free });
      expect(cached.counts).toEqual({ hits: 1, misses: 1, shared: 0, saved: usage });
    }
    await using cached = open(judge).cached;
    expect(await cached.compare!(pairOf('p'))).toEqual({ ...verdict, usage: free });
    expect(cached.counts).toEqual({ hits: 1, misses: 0, shared: 0, saved: usage });
    expect(asked).toEqual(['p']);
    // Only what is new is written.
    expect(filesIn()).toHaveLength(1);
  });

  it('is that of exactly what was asked', async () => {
    const { judge, asked } = judgeOf();
    await using cached = open(judge).cached;
    const pair = pairOf('p');
    const all: JudgedPair[] = [
      pair,
      pairOf('q'),
      { ...pair, answers: ['🙂', 'Grüß'] },
      { ...pair, answers: ['Grüß', [{ role: 'assistant', content: '🙂' }]] },
      { ...pair, prompt: [{ role: 'user', content: 'p' }] },
      { ...pair, reference: 'r' },
      { ...pair, extra: { answer: 1 } },
      { ...pair, extra: { answer: new PythonFloat(1) } },
      { ...pair, rendering: { tools: null, variables: { a: 1 } } },
    ];
    for (const one of all) await cached.compare!(one);
    expect(asked).toHaveLength(all.length);
    expect(cached.counts.misses).toBe(all.length);
  });

  it('is that of one judge', async () => {
    const [one, other] = [judgeOf(undefined, 'one'), judgeOf(undefined, 'other')];
    for (const { judge } of [one, other, one, other]) {
      await using cached = open(judge).cached;
      await cached.compare!(pairOf('p'));
    }
    expect([...one.asked, ...other.asked]).toEqual(['p', 'p']);
  });

  it('can be a rating, which is not a comparison', async () => {
    const rating: AnswerRating = { score: 7.5, criteria: { a: 3 }, exchanges: [], usage };
    let asked = 0;
    const judge: Judge = {
      ...{ name: 'j', identity: 'id', concurrency: 1, seesOrder: false },
      rate: async () => {
        asked += 1;
        return rating;
      },
      async [Symbol.asyncDispose]() {},
    };
    const rated = { prompt: 'p', answer: 'a', extra: {} };
    for (let index = 0; index < 2; index++) {
      await using cached = open(judge).cached;
      expect(cached.compare).toBeUndefined();
      expect(await cached.rate!(rated)).toMatchObject({ score: 7.5, criteria: { a: 3 } });
    }
    expect(asked).toBe(1);
  });

  it('without a verdict is cached unless it is transient', async () => {
    const failed = { failed: 'no label', exchanges: [], usage };
    const { judge, asked } = judgeOf(async ({ prompt }) => ({
      ...failed,
      transient: prompt === 'busy',
    }));
    await using cached = open(judge).cached;
    for (const prompt of ['busy', 'unclear', 'busy', 'unclear']) {
      expect(await cached.compare!(pairOf(prompt))).toMatchObject({ failed: 'no label' });
    }
    expect(asked).toEqual(['busy', 'unclear', 'busy']);
  });

  it('without a verdict is asked for again on request, and replaced', async () => {
    let fails = true;
    const { judge, asked } = judgeOf(async () =>
      fails ? { failed: 'no label', exchanges: [], usage } : verdict,
    );
    await open(judge).cached.compare!(pairOf('p'));
    fails = false;
    {
      await using cached = open(judge, { retryFailed: true }).cached;
      expect(await cached.compare!(pairOf('p'))).toEqual(verdict);
      expect(await cached.compare!(pairOf('p'))).toMatchObject({ usage: free });
    }
    expect(await open(judge).cached.compare!(pairOf('p'))).toMatchObject({ first: 0.1 + 0.2 });
    expect(asked).toHaveLength(2);
  });

  it('is missing after an error, which is passed on', async () => {
    let fails = true;
    const { judge, asked } = judgeOf(async () => {
      if (fails) throw new Error('down');
      return verdict;
    });
    await using cached = open(judge).cached;
    await expect(cached.compare!(pairOf('p'))).rejects.toThrow('down');
    fails = false;
    expect(await cached.compare!(pairOf('p'))).toEqual(verdict);
    expect(asked).toHaveLength(2);
  });
});

describe('the same question at the same time', () => {
  it('is asked once', async () => {
    const answer = Promise.withResolvers<PairVerdict>();
    const { judge, asked } = judgeOf(() => answer.promise);
    await using cached = open(judge).cached;
    const both = [cached.compare!(pairOf('p')), cached.compare!(pairOf('p'))];
    answer.resolve(verdict);
    expect(await Promise.all(both)).toEqual([verdict, { ...verdict, usage: free }]);
    expect(asked).toHaveLength(1);
    expect(cached.counts).toMatchObject({ hits: 0, misses: 1, shared: 1 });
  });

  it('goes on if one caller leaves, and ends with the last one', async () => {
    const answer = Promise.withResolvers<PairVerdict>();
    const signals: AbortSignal[] = [];
    const { judge, asked } = judgeOf((_, signal) => {
      signals.push(signal!);
      return answer.promise;
    });
    await using cached = open(judge).cached;
    const [one, other] = [new AbortController(), new AbortController()];
    const first = cached.compare!(pairOf('p'), one.signal);
    const second = cached.compare!(pairOf('p'), other.signal);
    const reason = new Error('enough');
    one.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect(signals[0]!.aborted).toBe(false);
    const third = cached.compare!(pairOf('p'));
    expect(asked).toHaveLength(1);
    other.abort(reason);
    await expect(second).rejects.toBe(reason);
    expect(signals[0]!.aborted).toBe(false);
    answer.resolve(verdict);
    expect(await third).toMatchObject({ tie: 1e-17 });
  });

  it('is aborted when all have left, and can be asked again', async () => {
    const signals: AbortSignal[] = [];
    const { judge } = judgeOf((_, signal) => {
      signals.push(signal!);
      return signals.length === 1 ? new Promise(() => {}) : Promise.resolve(verdict);
    });
    await using cached = open(judge).cached;
    const controller = new AbortController();
    const work = cached.compare!(pairOf('p'), controller.signal);
    controller.abort(new Error('enough'));
    await expect(work).rejects.toThrow('enough');
    expect(signals[0]!.aborted).toBe(true);
    expect(await cached.compare!(pairOf('p'))).toEqual(verdict);
    expect(signals).toHaveLength(2);
  });
});

describe('a damaged cache', () => {
  async function fill(count: number): Promise<string> {
    const { judge } = judgeOf();
    await using cached = open(judge).cached;
    for (let index = 0; index < count; index++) await cached.compare!(pairOf(`${index}`));
    return filesIn()[0]!;
  }

  it('is used without its damaged lines, which are named and asked for again', async () => {
    const path = await fill(4);
    const lines = readFileSync(path, 'utf8').split('\n');
    lines[2] = lines[2]!.slice(0, 50);
    lines[3] = lines[3]!.replace('"tie":1e-17', '"tie":7');
    writeFileSync(path, lines.join('\n'));
    const damaged = readFileSync(path);
    const { judge, asked } = judgeOf();
    const { cached, notices } = open(judge);
    for (let index = 0; index < 4; index++) await cached.compare!(pairOf(`${index}`));
    expect(asked).toEqual(['1', '2']);
    expect(notices).toEqual([expect.stringContaining(`${path}:3`)]);
    expect(notices[0]).toMatch(/^cache-damaged.* 2 /);
    expect(readFileSync(path)).toEqual(damaged);
    await cached[Symbol.asyncDispose]();
  });

  it('may end within a line', async () => {
    const path = await fill(2);
    appendFileSync(path, '{"key":"01');
    const { judge, asked } = judgeOf();
    const { cached, notices } = open(judge);
    await cached.compare!(pairOf('1'));
    expect(asked).toEqual([]);
    expect(notices).toEqual([expect.stringContaining(`${path}:4`)]);
  });

  it.each([
    '',
    '\n',
    'hello\n',
    '{"format":1,"identity":"other"}\n',
  ])('may have a file that starts with %j', async (text) => {
    const path = await fill(1);
    const rows = readFileSync(path, 'utf8').split('\n').slice(1).join('\n');
    writeFileSync(path, text === '' ? '' : text + rows);
    const { judge, asked } = judgeOf();
    const { cached, notices } = open(judge);
    await cached.compare!(pairOf('0'));
    expect(asked).toEqual(['0']);
    expect(notices).toHaveLength(text === '' ? 0 : 1);
  });

  it('may be removed while it is in use', async () => {
    await fill(1);
    const { judge, asked } = judgeOf();
    const { cached, notices } = open(judge);
    await cached.compare!(pairOf('other'));
    for (const path of filesIn()) rmSync(path);
    expect(await cached.compare!(pairOf('0'))).toEqual(verdict);
    expect(asked).toEqual(['other', '0']);
    expect(notices).toHaveLength(1);
  });

  it.skipIf(process.getuid?.() === 0)('may be unwritable: verdicts are not lost', async () => {
    chmodSync(folder, 0o500);
    const { judge, asked } = judgeOf();
    const { cached, notices } = open(judge);
    for (const prompt of ['a', 'b', 'a', 'b']) {
      expect(await cached.compare!(pairOf(prompt))).toMatchObject({ tie: 1e-17 });
    }
    chmodSync(folder, 0o700);
    expect(asked).toEqual(['a', 'b']);
    expect(notices).toEqual([expect.stringMatching(/^cache-unwritable: .*keel-verdicts/)]);
  });

  it('may be a file instead of a folder: verdicts are not lost', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, '');
    const { judge, asked } = judgeOf();
    const notices: string[] = [];
    const cached = withCache(judge, path, { notice: (_, code) => notices.push(code) });
    for (const prompt of ['a', 'a']) {
      expect(await cached.compare!(pairOf(prompt))).toMatchObject({ tie: 1e-17 });
    }
    expect(asked).toEqual(['a']);
    expect(notices).toEqual(['cache-unwritable']);
  });
});

describe('other processes', () => {
  const program = fileURLToPath(new URL('../../testing/judge-child.ts', import.meta.url));

  /** Questions that a child answered until it ended, or until it was killed after some of them. */
  function child(first: number, count: number, killAfter = Number.POSITIVE_INFINITY) {
    const started = spawn(process.execPath, [program, folder, `${first}`, `${count}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    started.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.split('\n').length > killAfter) started.kill('SIGKILL');
    });
    return new Promise<number[]>((done) => {
      started.once('close', () => done(text.split('\n').slice(0, -1).map(Number)));
    });
  }

  it('can be killed, and write at the same time', async () => {
    const answered = await Promise.all([child(0, 100_000, 20), child(10, 60), child(40, 60)]);
    expect(answered[0]!.length).toBeGreaterThanOrEqual(20);
    expect(answered[0]!.length).toBeLessThan(100_000);
    const { judge, asked } = judgeOf(undefined, 'constant');
    const { cached, notices } = open(judge);
    for (const question of answered.flat()) {
      expect(await cached.compare!(pairOf(`${question}`, ['a', 'b']))).toMatchObject({
        first: 0.25,
      });
    }
    expect(asked).toEqual([]);
    // At most the line that was being written.
    expect(notices.length).toBeLessThanOrEqual(1);
    // A process that finds every verdict there writes no file.
    expect(filesIn().length).toBeLessThanOrEqual(3);
  });
});

it('lets a job that ran out of budget continue where it stopped', async () => {
  await using endpoint = await openScriptedEndpoint(() => ({
    ...{ tokens: [{ token: 'A', top: { A: 0.75, B: 0.25 } }], usage: { prompt: 200, answer: 1 } },
  }));
  const SECRET = 'sk-very-secret-0123456789';
  const run = async (tokens: number) => {
    const judge = openEndpointJudge(
      {
        ...{ model: 'm', base_url: endpoint.url, api_key_env: 'KEY', ties: false },
        ...{ budget: { tokens }, concurrency: 2 },
      },
      { environment: { KEY: SECRET } },
    );
    await using cached = open(judge).cached;
    const all = Array.from({ length: 10 }, (_, index) => cached.compare!(pairOf(`${index}`)));
    const settled = await Promise.allSettled(all);
    return settled.map((one) =>
      one.status === 'fulfilled' ? (one.value as PairVerdict).first : (one.reason as Error).name,
    );
  };
  const first = await run(1000);
  const done = first.filter((one) => one === 0.75).length;
  expect(done).toBeGreaterThan(0);
  expect(first.filter((one) => one === 'BudgetError')).toHaveLength(10 - done);
  expect(endpoint.requests).toHaveLength(done);
  expect(await run(100_000)).toEqual(new Array(10).fill(0.75));
  expect(endpoint.requests).toHaveLength(10);
  for (const path of filesIn()) expect(readFileSync(path, 'utf8')).not.toContain(SECRET);
});
