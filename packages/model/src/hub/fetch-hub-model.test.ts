import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { fetchHubModel, type HubModelOptions } from './fetch-hub-model.ts';

const root = mkdtempSync(join(tmpdir(), 'keel-hub-'));
afterAll(() => rmSync(root, { recursive: true }));

const commits = {
  main: '0123456789abcdef0123456789abcdef01234567',
  v2: '89abcdef0123456789abcdef0123456789abcdef',
};

/** A fake hub that responds like the real one for one model, and records its requests. */
function fakeHub(filesOf: Record<string, Record<string, string>>) {
  const heads: Record<string, string> = { ...commits };
  const asked: string[] = [];
  const answer: typeof fetch = async (input, init) => {
    const { pathname } = new URL(String(input));
    const headers = new Headers(init?.headers);
    expect(headers.get('authorization')).toBe('Bearer hf_secret');
    asked.push(pathname);
    const missing = Response.json({ error: 'Repository not found' }, { status: 404 });
    const revision = /^\/api\/models\/owner\/model\/revision\/(.+)$/.exec(pathname)?.[1];
    if (revision !== undefined) {
      const sha = heads[revision] ?? (filesOf[revision] && revision);
      if (sha === undefined) return missing;
      return Response.json({ _id: '1', id: 'owner/model', sha, lastModified: '2024-01-01' });
    }
    const listed = /^\/api\/models\/owner\/model\/tree\/(.+)$/.exec(pathname)?.[1];
    if (listed !== undefined) {
      return Response.json(
        Object.entries(filesOf[listed] ?? {}).map(([path, { length: size }]) => ({
          type: 'file',
          path,
          size,
          oid: path,
        })),
      );
    }
    const [, commit = '', path = ''] =
      /^\/owner\/model\/resolve\/([^/]+)\/(.+)$/.exec(pathname) ?? [];
    const text = filesOf[commit]?.[path];
    if (text === undefined) return missing;
    const [, first, last] = /bytes=(\d+)-(\d+)/.exec(headers.get('range') ?? '') ?? [];
    const part = first === undefined ? text : text.slice(Number(first), Number(last) + 1);
    const range = { 'content-range': `bytes ${first}-${last}/${text.length}`, etag: '"x"' };
    return new Response(part, { status: first === undefined ? 200 : 206, headers: range });
  };
  return { asked, heads, fetch: answer };
}

const model = { 'config.json': '{}', 'model.safetensors': 'weights', 'tokenizer.json': '{"a":1}' };
const files = {
  [commits.main]: { ...model, 'model.fp16.safetensors': 'half', 'README.md': '# model' },
  [commits.v2]: { ...model, 'model.safetensors': 'new weights' },
};
const noNetwork: typeof fetch = async () => {
  throw new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND') });
};

let made = 0;
let log: string[] = [];
let options: HubModelOptions & { cacheDir: string };
beforeEach(() => {
  log = [];
  options = {
    cacheDir: join(root, String(made++)),
    token: 'hf_secret',
    endpoint: 'https://hub.invalid',
    offline: false,
    log: (line) => log.push(line),
  };
});
const spec = 'hub:owner/model';
const failure = async (name: string, more: HubModelOptions): Promise<string> =>
  fetchHubModel(name, { ...options, ...more }).then(
    (path) => expect.unreachable(`fetched ${path}`),
    (error: Error) => error.message,
  );

it('downloads every file from the one commit, once', async () => {
  const hub = fakeHub(files);
  const folder = await fetchHubModel(spec, { ...options, fetch: hub.fetch });
  expect(folder).toBe(join(options.cacheDir, 'hub', 'owner--model', commits.main));
  expect(readdirSync(folder).sort()).toEqual(Object.keys(model).sort());
  expect(readFileSync(join(folder, 'model.safetensors'), 'utf8')).toBe('weights');
  const downloads = () => hub.asked.filter((path) => path.includes('/resolve/'));
  expect(downloads().every((path) => path.includes(`/resolve/${commits.main}/`))).toBe(true);
  expect(log).toContain('downloading hub:owner/model model.safetensors (0.0 MB)');

  const before = downloads().length;
  expect(await fetchHubModel(spec, { ...options, fetch: hub.fetch })).toBe(folder);
  expect(downloads()).toHaveLength(before);
});

it('accepts a branch, tag or commit after @, and makes no request for a cached commit', async () => {
  const hub = fakeHub(files);
  const from = { ...options, fetch: hub.fetch };
  for (const revision of ['v2', commits.v2]) {
    const folder = await fetchHubModel(`${spec}@${revision}`, from);
    expect(readFileSync(join(folder, 'model.safetensors'), 'utf8')).toBe('new weights');
  }
  const asked = hub.asked.length;
  await fetchHubModel(`${spec}@${commits.v2}`, from);
  expect(hub.asked).toHaveLength(asked);
});

it('uses a complete snapshot without a network', async () => {
  const folder = await fetchHubModel(spec, { ...options, fetch: fakeHub(files).fetch });
  log = [];
  expect(await fetchHubModel(spec, { ...options, offline: true, fetch: noNetwork })).toBe(folder);
  expect(log).toEqual([]);
  expect(await fetchHubModel(spec, { ...options, fetch: noNetwork })).toBe(folder);
  expect(log).toEqual([
    `hub:owner/model: the hub cannot be reached (fetch failed: getaddrinfo ENOTFOUND); using the cached ${commits.main}`,
  ]);
  writeFileSync(join(folder, 'model.safetensors'), 'cut');
  expect(await failure(spec, { fetch: noNetwork })).toContain('HF_ENDPOINT');
});

it('keeps the old snapshot until the new one is complete', async () => {
  const hub = fakeHub(files);
  const old = await fetchHubModel(spec, { ...options, fetch: hub.fetch });
  hub.heads.main = commits.v2;
  const breaking: typeof fetch = (input, init) =>
    String(input).includes('model.safetensors') ? noNetwork(input, init) : hub.fetch(input, init);
  expect(await fetchHubModel(spec, { ...options, fetch: breaking })).toBe(old);
  expect(await fetchHubModel(spec, { ...options, offline: true })).toBe(old);
  const folder = await fetchHubModel(spec, { ...options, fetch: hub.fetch });
  expect(folder).toContain(commits.v2);
});

it('leaves nothing of an interrupted download', async () => {
  const hub = fakeHub(files);
  const cutting: typeof fetch = async (input, init) => {
    const response = await hub.fetch(input, init);
    const range = new Headers(init?.headers).get('range');
    const whole = String(input).includes('/model.safetensors') && range !== 'bytes=0-0';
    return whole ? new Response('wei', { status: 206 }) : response;
  };
  expect(await failure(spec, { fetch: cutting })).toMatch(
    /model\.safetensors has 3 bytes, expected 7/,
  );
  const folder = join(options.cacheDir, 'hub', 'owner--model', commits.main);
  expect(readdirSync(folder)).not.toContain('model.safetensors');
  expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
});

it('says what to do', async () => {
  const hub = fakeHub({ [commits.main]: { 'README.md': '# none' } });
  expect(await failure('hub:model', {})).toContain('hub:owner/name, or hub:owner/name@');
  expect(await failure(spec, { fetch: noNetwork })).toMatch(
    /^hub:owner\/model .*\(fetch failed: getaddrinfo ENOTFOUND\).*HF_ENDPOINT/,
  );
  expect(await failure(spec, { offline: true })).toContain('HF_HUB_OFFLINE is set');
  expect(await failure(spec, { fetch: hub.fetch })).toMatch(/^hub:owner\/model has no config.json/);
  expect(await failure(`${spec}@absent`, { fetch: hub.fetch })).toContain(
    'status 404 (Repository not found). Check owner, name and revision',
  );
  const gated: typeof fetch = async () => Response.json({ error: 'Gated' }, { status: 401 });
  expect(await failure(spec, { fetch: gated })).toContain('Set HF_TOKEN');
});

it('refuses a commit whose id would be a path', async () => {
  const hub = fakeHub(files);
  hub.heads.main = '../../../outside';
  const options = { cacheDir: join(root, 'lying'), token: 'hf_secret', offline: false, ...hub };
  await expect(fetchHubModel('hub:owner/model', options)).rejects.toThrow('"../../../outside"');
  expect(readdirSync(root)).not.toContain('outside');
});
