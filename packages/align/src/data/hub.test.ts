import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { dataErrorOf, temporaryFiles } from './fixtures/temporary-files.ts';
import { fetchHubFiles, type HubOptions } from './hub.ts';
import { openRows } from './open-rows.ts';

const { folder } = temporaryFiles();
const commit = '0123456789abcdef0123456789abcdef01234567';

/** A hub that responds as the real one does for one repository, and records its requests. */
const fakeHub = (files: Record<string, string>) => {
  const seen: { url: string; authorization: string | null }[] = [];
  const answer: typeof fetch = async (input, init) => {
    const url = new URL(String(input));
    const headers = new Headers(init?.headers);
    seen.push({ url: url.pathname, authorization: headers.get('authorization') });
    if (url.pathname.startsWith('/api/datasets/owner/set/revision/')) {
      return Response.json({ _id: '1', id: 'owner/set', sha: commit, lastModified: '2024-01-01' });
    }
    if (url.pathname === `/api/datasets/owner/set/tree/${commit}`) {
      const entries = Object.entries(files);
      return Response.json(
        entries.map(([path, text]) => ({ type: 'file', path, size: text.length, oid: path })),
      );
    }
    const text = files[url.pathname.replace(`/datasets/owner/set/resolve/${commit}/`, '')];
    if (text === undefined)
      return Response.json({ error: 'Repository not found' }, { status: 404 });
    const [, first, last] = /bytes=(\d+)-(\d+)/.exec(headers.get('range') ?? '') ?? [];
    const part = first === undefined ? text : text.slice(Number(first), Number(last) + 1);
    const range = { 'content-range': `bytes ${first}-${last}/${text.length}`, etag: '"x"' };
    return new Response(part, { status: first === undefined ? 200 : 206, headers: range });
  };
  return { seen, fetch: answer };
};

const line = (text: string) => `${JSON.stringify({ text })}\n`;
const files = { 'README.md': '# set', 'data/train.jsonl': line('a'), 'data/test.jsonl': line('b') };
const noNetwork: typeof fetch = async () => {
  throw new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND') });
};

test('a split is listed, downloaded once, and found again without a network', async () => {
  const hub = fakeHub(files);
  const log: string[] = [];
  const options: HubOptions = {
    cacheFolder: join(folder, 'cache'),
    token: 'hf_secret',
    offline: false,
    fetch: hub.fetch,
    log: (message) => log.push(message),
  };
  const open = (hubOptions: HubOptions) =>
    openRows('hub:owner/set:test', { kind: 'text', hub: hubOptions });
  await using source = await open(options);
  expect((await source.read(0)).text).toBe('b');
  expect(hub.seen.every(({ authorization }) => authorization === 'Bearer hf_secret')).toBe(true);
  expect(log).toEqual([expect.stringContaining('downloading hub:owner/set:test data/test.jsonl')]);
  const held = join(folder, 'cache', 'datasets', 'owner--set', commit, 'data');
  expect(readdirSync(held)).toEqual(['test.jsonl']);
  expect(readFileSync(join(held, 'test.jsonl'), 'utf8')).toBe(line('b'));

  const requests = hub.seen.length;
  await using again = await open(options);
  expect(again.length).toBe(1);
  expect(hub.seen.slice(requests).some(({ url }) => url.includes('/resolve/'))).toBe(false);

  await using offline = await open({ ...options, fetch: noNetwork });
  expect(offline.length).toBe(1);
  expect(log.at(-1)).toContain('the hub cannot be reached (fetch failed: getaddrinfo ENOTFOUND)');
  await using told = await open({ ...options, offline: true, fetch: noNetwork });
  expect(told.length).toBe(1);
});

test('errors say what to do', async () => {
  const failure = async (spec: string, options: HubOptions) => {
    const empty = { cacheFolder: join(folder, 'other'), offline: false, ...options };
    return (await dataErrorOf(() => fetchHubFiles(spec, empty))).error.message;
  };
  expect(await failure('hub:owner/set', { fetch: noNetwork })).toMatch(
    /^hub:owner\/set: .*fetch failed: getaddrinfo ENOTFOUND.*HF_ENDPOINT/,
  );
  expect(await failure('hub:owner/set', { offline: true })).toContain('HF_HUB_OFFLINE is set');
  const missing = await failure('hub:owner/other', { fetch: fakeHub({}).fetch });
  expect(missing).toMatch(/404 .*Repository not found.*HF_TOKEN/);
  const gated: typeof fetch = async () => Response.json({ error: 'Gated' }, { status: 401 });
  expect(await failure('hub:owner/set', { fetch: gated })).toMatch(/401 .*HF_TOKEN/);
});

test('an interrupted download leaves nothing behind', async () => {
  const hub = fakeHub(files);
  const cutting: typeof fetch = async (input, init) => {
    const response = await hub.fetch(input, init);
    const whole =
      String(input).includes('/resolve/') &&
      !/bytes=0-0/.test(new Headers(init?.headers).get('range') ?? '');
    return whole ? new Response('{"te', { status: 206 }) : response;
  };
  const options = { cacheFolder: join(folder, 'broken'), offline: false, fetch: cutting };
  const { error } = await dataErrorOf(() => fetchHubFiles('hub:owner/set', options));
  expect(error.message).toMatch(/data\/train\.jsonl.* 4 bytes .*13/);
  expect(readdirSync(join(folder, 'broken', 'datasets', 'owner--set', commit, 'data'))).toEqual([]);
});

test('a listed path outside its folder is rejected', async () => {
  const hub = fakeHub({ '../../../train.jsonl': line('a') });
  const options = { cacheFolder: join(folder, 'escape'), offline: false, fetch: hub.fetch };
  const { error } = await dataErrorOf(() => fetchHubFiles('hub:owner/set', options));
  expect(error.message).toMatch(/"\.\.\/\.\.\/\.\.\/train\.jsonl" .*folder/);
});

test('a commit id that is a path is rejected, from the hub and from the cache', async () => {
  const cache = join(folder, 'commit');
  const hub = fakeHub({ 'train.jsonl': line('a') });
  const lying: typeof fetch = async (input, init) => {
    const response = await hub.fetch(input, init);
    if (!String(input).includes('/revision/')) return response;
    return Response.json({ ...((await response.json()) as object), sha: '../../../outside' });
  };
  const options = { cacheFolder: cache, offline: false, fetch: lying };
  const { error } = await dataErrorOf(() => fetchHubFiles('hub:owner/set', options));
  expect(error.message).toContain('"../../../outside"');

  const reference = join(cache, 'datasets', 'owner--set', 'refs', 'main.json');
  mkdirSync(dirname(reference), { recursive: true });
  writeFileSync(
    reference,
    JSON.stringify({ commit: '../..', files: [{ path: 'a.jsonl', size: 1 }] }),
  );
  const offline = { cacheFolder: cache, offline: true };
  const again = await dataErrorOf(() => fetchHubFiles('hub:owner/set', offline));
  expect(again.error.message).toContain('HF_HUB_OFFLINE');
});
