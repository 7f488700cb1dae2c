// The routes of runs: who may use them, what they answer, and that nothing beside the folder of
// runs is read.
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownIdentity } from '@keel/align/runs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SAMPLES, writeRuns } from '../watching/testing/watched-runs.ts';
import { type Studio, startStudio } from './start-studio.ts';

const KEY = 'a-key-for-tests-only';
let folder: string;
let runs: string;
let studio: Studio;
let owner: string;
let annotator: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keel-runs-'));
  runs = join(folder, 'runs');
  mkdirSync(runs);
  writeRuns(runs);
  writeFileSync(join(folder, 'secret.html'), 'for nobody');
  studio = await startStudio({
    ...{ database: join(folder, 'studio.sqlite'), port: 0, key: KEY, owner: 'Owner', runs },
    ...{ keel: [process.execPath, '--eval', 'process.exit(3)', '--'], log: () => {} },
  });
  owner = cookieOf(await fetch(`${studio.url}/enter?key=${KEY}`, { redirect: 'manual' }));
  const invited = await post('/api/people/invitations', { role: 'annotator', projects: [] }, owner);
  const { link } = (await invited.json()) as { link: string };
  const code = link.split('/').at(-1);
  const joined = { name: 'Ann', password: 'correct horse battery' };
  annotator = cookieOf(await post(`/api/session/invitations/${code}`, joined, ''));
});
afterAll(async () => {
  await studio?.close();
  rmSync(folder, { recursive: true, force: true });
});

const cookieOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');

const get = (path: string, cookie = owner): Promise<Response> =>
  fetch(`${studio.url}/api/runs${path}`, { headers: { cookie } });

const post = (path: string, body: object, cookie = owner, more: Record<string, string> = {}) =>
  fetch(`${studio.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie, ...more },
    body: JSON.stringify(body),
  });

const codeOf = async (response: Response): Promise<[number, string]> => {
  const { error } = (await response.json()) as { error: { code: string } };
  return [response.status, error.code];
};

const bodyOf = async (path: string) => (await get(path)).json() as Promise<never>;

describe('who', () => {
  const paths = [
    ...['', '/events', '/details?run=grpo', '/rows?run=grpo', '/series?run=grpo'],
    ...['/samples?run=grpo', '/sample?run=grpo&line=1', '/extremes?run=grpo', '/answers?run=grpo'],
    ...['/comparison?run=grpo', '/aligned?run=grpo&name=loss', '/output?run=grpo'],
    ...['/reports/grpo/report.html', '/reward-costs?run=grpo'],
  ];

  test.each(paths)('%s is for admins only', async (path) => {
    expect(await codeOf(await get(path, ''))).toEqual([401, 'signed-out']);
    expect(await codeOf(await get(path, annotator))).toEqual([403, 'admins-only']);
  });

  test('so are stopping and resuming, from the pages of the Studio', async () => {
    for (const path of ['/api/runs/stop', '/api/runs/resume']) {
      expect(await codeOf(await post(path, { run: 'grpo' }, annotator))).toEqual([
        403,
        'admins-only',
      ]);
      const foreign = await post(path, { run: 'grpo' }, owner, { origin: 'http://evil.test' });
      expect(await codeOf(foreign)).toEqual([403, 'foreign']);
    }
  });
});

describe('what', () => {
  test('the list, and a run', async () => {
    const list = (await bodyOf('')) as { runs: { id: string; state: string }[]; folder: string };
    expect(list.folder).toBe(runs);
    expect(list.runs.map(({ id }) => id)).toContain('trl/runs/Nov30_host');
    const run = (await bodyOf('/details?run=grpo')) as Record<string, unknown>;
    expect(run).toMatchObject({
      state: 'interrupted',
      step: 60,
      total: 80,
      samples: SAMPLES,
      serious: 1,
    });
    expect(run.checkpoints).toEqual([{ step: 40, best: false }]);
  });

  test('rows after a cursor, with values that JSON does not have', async () => {
    const first = (await bodyOf('/rows?run=grpo')) as {
      rows: Record<string, unknown>[];
      cursor: string;
    };
    expect(first.rows).toHaveLength(62);
    expect(first.rows[40]!.loss).toBe('NaN');
    const next = (await bodyOf(`/rows?run=grpo&cursor=${first.cursor}`)) as { rows: unknown[] };
    expect(next.rows).toEqual([]);
  });

  test('curves keep what is not finite, and extremes', async () => {
    const [loss] = (await bodyOf('/series?run=grpo&name=loss&points=10')) as {
      values: number[];
      nonFinite: unknown[];
    }[];
    expect(Math.max(...loss!.values)).toBe(9);
    expect(loss!.values.length).toBeLessThan(15);
    expect(loss!.nonFinite).toEqual([{ step: 40, value: 'NaN' }]);
    const aligned = (await bodyOf('/aligned?run=grpo&run=grpo-other&name=reward&to=2')) as object;
    expect(aligned).toMatchObject({
      steps: [1, 2],
      values: [
        [0, 0.0167],
        [0.5, 0.5],
      ],
    });
  });

  test('samples by a query', async () => {
    const page = (await bodyOf(
      '/samples?run=grpo&sort=reward&descending=true&limit=2&toStep=3',
    )) as {
      matching: number;
      samples: { reward: number }[];
    };
    expect(page.matching).toBe(90);
    expect(page.samples.map(({ reward }) => reward)).toEqual([0.918, 0.907]);
    const found = (await bodyOf('/sample?run=grpo&line=31')) as { start: { line: number } };
    expect(found.start.line).toBe(1);
  });

  test.each([
    ['/samples?run=grpo&limit=1000', 400],
    ['/samples?run=grpo&sort=nothing', 400],
    ['/samples?run=grpo&minReward=x', 400],
    ['/sample?run=grpo&line=9999', 404],
    ['/sample?run=grpo-other&line=1', 404],
    ['/series?run=grpo&points=1', 400],
    ['/details', 400],
    ['/details?run=nothing', 404],
    ['/comparison?run=grpo&run=nothing', 404],
    ['/reports/grpo-other/report.html', 404],
    ['/reports/grpo/config.yaml', 404],
  ])('%s is answered with %i', async (path, status) => {
    const response = await get(path);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      error: { message: expect.any(String) as string },
    });
  });

  test('a report runs without the rights of the Studio', async () => {
    const response = await get('/reports/grpo/report.html');
    expect(await response.text()).toContain('The report');
    const policy = response.headers.get('content-security-policy')!;
    expect(policy).toMatch(/^sandbox allow-scripts/);
    expect(policy).not.toContain('allow-same-origin');
    expect(policy).toContain("default-src 'none'");
    // Other answers have the policy of all pages.
    expect((await get('')).headers.get('content-security-policy')).toContain("script-src 'self'");
  });
});

describe('nothing beside the folder', () => {
  test.each([
    ...['..', '../secret.html', '.%2e', 'grpo/..', 'grpo/../../secret.html', '/etc', 'grpo%00'],
    ...['grpo/checkpoints', 'group'],
  ])('run=%s', async (run) => {
    for (const path of ['details', 'rows', 'samples', 'answers', 'output', 'series']) {
      const response = await get(`/${path}?run=${run}`);
      expect([400, 404], path).toContain(response.status);
    }
    for (const path of ['/api/runs/stop', '/api/runs/resume']) {
      expect([400, 404], path).toContain(
        (await post(path, { run: decodeURIComponent(run) })).status,
      );
    }
  });

  test('a path that leads out, and links, are refused', async () => {
    symlinkSync(folder, join(runs, 'out'));
    symlinkSync(join(folder, 'secret.html'), join(runs, 'grpo-other/report.html'));
    const raw = (path: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const { hostname, port } = new URL(studio.url);
        const options = { hostname, port, path: `/api/runs${path}`, headers: { cookie: owner } };
        request(options, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => {
            text += part;
          });
          response.once('end', () => resolve(text));
        })
          .once('error', reject)
          .end();
      });
    for (const path of [
      '/reports/../../secret.html',
      '/reports/..%2f..%2fsecret.html',
      '/reports/%2e%2e/report.html',
      '/reports/out/report.html',
      '/reports/grpo-other/report.html',
    ]) {
      expect(await raw(path), path).not.toContain('for nobody');
    }
  });
});

test('changes are told as they happen', async () => {
  const response = await get('/events');
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const next = async (): Promise<{ runs: { id: string; step: number }[]; removed: string[] }> => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        const data = /^data: (\{.*)$/m.exec(event)?.[1];
        if (data !== undefined) return JSON.parse(data);
        continue;
      }
      const { value, done } = await reader.read();
      if (done) throw new Error('the stream ended');
      text += value;
    }
  };
  expect((await next()).runs.map(({ id }) => id)).toContain('grpo');
  appendFileSync(join(runs, 'grpo/metrics.jsonl'), '{"step":61,"reward":1}\n');
  expect((await next()).runs).toMatchObject([{ id: 'grpo', step: 61 }]);
  rmSync(join(runs, 'group'), { recursive: true });
  expect((await next()).removed).toHaveLength(1);
  await reader.cancel();
});

describe('stopping and resuming', () => {
  test('are refused with a reason', async () => {
    expect(await codeOf(await post('/api/runs/stop', { run: 'grpo' }))).toEqual([409, 'refused']);
    expect(await codeOf(await post('/api/runs/resume', { run: 'grpo-other' }))).toEqual([
      ...[409, 'refused'],
    ]);
    writeFileSync(join(runs, 'grpo/.lock'), JSON.stringify(ownIdentity()));
    expect(await codeOf(await post('/api/runs/resume', { run: 'grpo' }))).toEqual([409, 'refused']);
    rmSync(join(runs, 'grpo/.lock'));
    expect(await codeOf(await post('/api/runs/stop', { run: 'grpo', signal: 'SIGKILL' }))).toEqual([
      ...[400, 'invalid'],
    ]);
  });

  test('a process that fails at once is told of', async () => {
    const response = await post('/api/runs/resume', { run: 'grpo' });
    expect(await response.json()).toMatchObject({
      command: 'npx keel grpo --config a.yaml --resume',
    });
    await expect
      .poll(async () => ((await bodyOf('/details?run=grpo')) as { resumed: object }).resumed, {
        timeout: 60_000,
      })
      .toEqual({ running: false, exitCode: 3 });
    expect(((await bodyOf('/output?run=grpo')) as { text: string }).text).toContain('$ keel grpo');
  });
});

test('a folder that does not exist yet is watched once it does', async () => {
  const later = join(folder, 'later');
  const database = join(folder, 'other.sqlite');
  await using other = await startStudio({
    database,
    port: 0,
    key: KEY,
    runs: later,
    log: () => {},
  });
  const cookie = cookieOf(await fetch(`${other.url}/enter?key=${KEY}`, { redirect: 'manual' }));
  const list = async () =>
    (await fetch(`${other.url}/api/runs`, { headers: { cookie } })).json() as Promise<{
      exists: boolean;
      runs: object[];
    }>;
  expect(await list()).toMatchObject({ exists: false, runs: [] });
  const asked = await fetch(`${other.url}/api/runs/details?run=a`, { headers: { cookie } });
  expect(await codeOf(asked)).toEqual([404, 'unknown']);
  mkdirSync(later);
  writeRuns(later);
  expect((await list()).runs.length).toBeGreaterThan(5);
});
