// What other sites, strangers and people without rights can send, and what they get.

import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { People } from '../people/people.ts';
import { type Studio, startStudio } from './start-studio.ts';

const KEY = 'a-key-for-tests-only';
let folder: string;
let studio: Studio;
let logged: string[];
let cookie: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keel-studio-security-'));
  logged = [];
  studio = await startStudio({
    ...{ database: join(folder, 'studio.sqlite'), port: 0, key: KEY, owner: 'Owner' },
    ...{
      uploadBytes: 100_000,
      models: ['http://127.0.0.1:1'],
      log: (text: string) => void logged.push(text),
    },
  });
  cookie = await signedIn(`/enter?key=${KEY}`);
});
afterAll(async () => {
  await studio?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** A request with any header and any path: fetch would correct both. */
function send(path: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<Answered> {
  const { hostname, port } = new URL(studio.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.once('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: text }),
      );
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

const json = (body: object, more: Record<string, string> = {}): Sent => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...more },
  body: JSON.stringify(body),
});

async function signedIn(path: string, sent?: Sent): Promise<string> {
  const { headers } = await send(path, sent);
  return (headers['set-cookie'] as string[]).map((one) => one.split(';')[0]).join('; ');
}

const codeOf = ({ body }: Answered): string => JSON.parse(body).error.code;

describe('the key', () => {
  test('a wrong one signs nobody in', async () => {
    const answered = await send('/enter?key=wrong');
    expect([answered.status, codeOf(answered)]).toEqual([401, 'wrong']);
    expect(answered.headers['set-cookie']).toBeUndefined();
  });

  test('the way on is a path of the Studio', async () => {
    const leading = async (to: string) =>
      (await send(`/enter?key=${KEY}&to=${encodeURIComponent(to)}`)).headers.location as string;
    const foreign = ['//evil.test', 'https://evil.test', '/\\\\evil.test', '/\t/evil.test'];
    foreign.push(
      'javascript:alert(1)',
      'evil.test',
      '',
      '/\n/evil.test',
      '\\\\evil.test',
      ' //evil.test',
    );
    for (const to of foreign) expect(await leading(to), to).toBe('/');
    const own = ['/people', '/projects/x/annotate?y=z&w=//evil.test#end', '/projects/../people'];
    for (const to of own) {
      expect(await leading(to), to).toBe(to);
      expect(new URL(await leading(to), studio.url).host).toBe(new URL(studio.url).host);
    }
  });

  test('is needed where other machines can reach the Studio', async () => {
    const database = join(folder, 'other.sqlite');
    const start = (key: string | null) =>
      startStudio({ database, host: '0.0.0.0', port: 0, key, log: () => {} });
    await expect(start(null)).rejects.toThrow('KEEL_STUDIO_KEY');
    await expect(start('short')).rejects.toThrow('KEEL_STUDIO_KEY');
  });
});

test('what cannot be read is the fault of who sent it', async () => {
  const { id } = JSON.parse(
    (await send('/api/projects', json({ name: 'Unreadable' }, { cookie }))).body,
  );
  const part = (headers: string, text: string) =>
    `--x\r\ncontent-disposition: form-data; ${headers}\r\n\r\n${text}\r\n`;
  const upload = (...parts: string[]): Sent => ({
    method: 'POST',
    headers: { cookie, 'content-type': 'multipart/form-data; boundary=x' },
    body: `${parts.join('')}--x--\r\n`,
  });
  const file = (name: string) =>
    part(`name="files"; filename="${name}"`, '{"prompt":"a","chosen":"b","rejected":"c"}');
  const path = `/api/projects/${id}/import`;
  const before = logged.length;
  const overlap = await send(path, upload(file('a.jsonl'), part('name="overlap"', '0')));
  expect([overlap.status, JSON.parse(overlap.body).error.message]).toEqual([
    400,
    expect.stringMatching(/^overlap: /),
  ]);
  expect((await send(path, upload('no part'))).status).toBe(400);
  const broken = json({}, { cookie });
  expect((await send('/api/projects', { ...broken, body: '{' })).status).toBe(400);
  // The name of a file is only a name.
  for (const name of ['..', '../../up.jsonl'])
    expect((await send(path, upload(file(name)))).status).toBe(200);
  const bad = await send(path, upload(part('name="files"; filename="b.jsonl"', '{"prompt":"a"}')));
  expect(JSON.parse(bad.body).error.message).not.toContain('--on-bad-row');
  const skipping = part('name="onBadRow"', 'skip');
  const mixed = part('name="files"; filename="m é.jsonl"', '{"prompt":"a"}\n{"prompt":1}');
  const rest = await send(path, upload(file('c.jsonl'), mixed, skipping));
  expect(JSON.parse(rest.body)).toMatchObject({
    badRows: 2,
    firstBadRow: expect.stringMatching(/^m é\.jsonl:1: /),
  });
  expect(logged.slice(before)).toEqual([]);
});

describe('without a session', () => {
  test.each([
    '/api/projects',
    '/api/people',
    '/api/session',
    '/api/formats',
    '/api/none',
  ])('%s says to sign in', async (path) => {
    const answered = await send(path);
    expect([answered.status, codeOf(answered)]).toEqual([401, 'signed-out']);
  });

  test('a forged or foreign cookie is none', async () => {
    const forged = cookie.replace(/=[^;]*/, '=forged.signature');
    expect((await send('/api/session', { headers: { cookie: forged } })).status).toBe(401);
  });

  test('a session that was ended is none', async () => {
    const own = await signedIn(`/enter?key=${KEY}`);
    expect((await send('/api/session', { headers: { cookie: own } })).status).toBe(200);
    await send('/api/session', { method: 'DELETE', headers: { cookie: own } });
    expect((await send('/api/session', { headers: { cookie: own } })).status).toBe(401);
  });
});

describe('requests of other sites', () => {
  test('another host, as with DNS rebinding, is refused', async () => {
    for (const path of ['/', '/api/projects', '/enter?key=x'])
      expect(codeOf(await send(path, { headers: { host: 'evil.test', cookie } }))).toBe('foreign');
  });

  test('another origin is refused, with and without a known host', async () => {
    for (const origin of ['http://evil.test', 'null', 'http://127.0.0.1:1'])
      expect(codeOf(await send('/api/projects', json({ name: 'x' }, { cookie, origin })))).toBe(
        'foreign',
      );
  });

  test('a form cannot pass for JSON', async () => {
    const headers = { cookie, 'content-type': 'text/plain' };
    const answered = await send('/api/projects', {
      ...{ method: 'POST', headers, body: '{"name":"x"}' },
    });
    expect(answered.status).toBe(415);
  });

  test('pages allow no scripts, frames and requests of elsewhere', async () => {
    const { headers } = await send('/');
    const policy = headers['content-security-policy'] as string;
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
  });
});

describe('paths and sizes', () => {
  test.each([
    '/assets/../../package.json',
    '/assets/..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/package.json',
    '/assets/..\\..\\package.json',
    '/assets/%00',
    '/assets/%',
  ])('%s leads nowhere', async (path) => {
    const { status, body } = await send(path);
    expect(body).not.toContain('@keel/studio');
    if (status === 200) expect(body).toContain('<div id="root">');
    else expect([400, 404]).toContain(status);
  });

  test('a body that is too large is refused', async () => {
    const answered = await send('/api/projects', json({ name: 'x'.repeat(200_000) }, { cookie }));
    expect([answered.status, codeOf(answered)]).toEqual([413, 'too-large']);
  });

  test('a file name of an upload is only a name', async () => {
    const { id } = JSON.parse(
      (await send('/api/projects', json({ name: 'upload' }, { cookie }))).body,
    );
    const row = JSON.stringify({ prompt: 'p', chosen: 'a', rejected: 'b' });
    const body = [
      '--edge',
      'Content-Disposition: form-data; name="files"; filename="../../../../tmp/out.jsonl"',
      '',
      row,
      '--edge--',
      '',
    ].join('\r\n');
    const headers = { cookie, 'content-type': 'multipart/form-data; boundary=edge' };
    const answered = await send(`/api/projects/${id}/import`, { method: 'POST', headers, body });
    expect(JSON.parse(answered.body)).toMatchObject({ tasks: 1 });
  });

  test('an unexpected fault is logged and not shown', async () => {
    const { id } = JSON.parse(
      (await send('/api/projects', json({ name: 'fault' }, { cookie }))).body,
    );
    const spoilt = { name: 'fault\u0000' };
    expect((await send('/api/projects', json(spoilt, { cookie }))).status).toBe(400);
    await studio.store.database.schema.alterTable('gold').renameTo('lost').execute();
    try {
      const answered = await send(`/api/projects/${id}/agreement`, { headers: { cookie } });
      expect([answered.status, codeOf(answered)]).toEqual([500, 'failed']);
      expect(answered.body).not.toContain('gold');
      expect(logged.join('\n')).toContain('gold');
    } finally {
      await studio.store.database.schema.alterTable('lost').renameTo('gold').execute();
    }
  });
});

describe('invitations and passwords', () => {
  const invite = async (wanted: object) =>
    JSON.parse((await send('/api/people/invitations', json(wanted, { cookie }))).body) as {
      id: string;
      link: string;
    };
  const codeIn = (link: string): string => link.split('/').at(-1)!;
  const join_ = (code: string, name: string, password = 'correct horse battery') =>
    send(`/api/session/invitations/${code}`, json({ name, password }));

  test('a link works once, and a password is not kept as it is', async () => {
    const { link } = await invite({ role: 'annotator', projects: [] });
    expect((await join_(codeIn(link), 'Ann')).status).toBe(200);
    expect(codeOf(await join_(codeIn(link), 'Ben'))).toBe('invitation');
    const accounts = JSON.stringify(
      await studio.store.database
        .selectFrom('auth_accounts' as never)
        .selectAll()
        .execute(),
    );
    expect(accounts).not.toContain('correct horse');
    const own = await signedIn(
      '/api/session',
      json({ name: 'Ann', password: 'correct horse battery' }),
    );
    const { body } = await send('/api/session', { headers: { cookie: own } });
    expect(JSON.parse(body)).toMatchObject({ name: 'Ann', role: 'annotator' });
  });

  test('only admins learn the addresses of model servers', async () => {
    const { store } = studio;
    const project = await store.openProject('Servers');
    const { link } = await invite({ role: 'annotator', projects: [project] });
    const body = json({ name: 'Flo', password: 'correct horse battery' });
    const own = await signedIn(`/api/session/invitations/${codeIn(link)}`, body);
    const start = (who: string) =>
      send(`/api/projects/${project}/battles`, json({}, { cookie: who }));
    const [admin, annotator] = [await start(cookie), await start(own)];
    expect([admin.status, annotator.status]).toEqual([409, 409]);
    expect(admin.body).toContain('127.0.0.1:1');
    expect(annotator.body).not.toMatch(/127|--models/);
    expect(annotator.body).toContain('Ask an admin');
  });

  test('two people with one link at the same time: one joins', async () => {
    const { link } = await invite({ role: 'annotator', projects: [] });
    const both = await Promise.all(['Cleo', 'Dan'].map((name) => join_(codeIn(link), name)));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 404]);
  });

  test('nobody takes the name of another', async () => {
    const { link } = await invite({ role: 'annotator', projects: [] });
    expect(codeOf(await join_(codeIn(link), 'Owner'))).toBe('name');
    expect(codeOf(await join_(codeIn(link), 'Eve', 'short'))).toBe('password');
    expect((await join_(codeIn(link), 'Eve')).status).toBe(200);
  });

  test('a withdrawn invitation does not work', async () => {
    const { link, id } = await invite({ role: 'admin', projects: [] });
    await send(`/api/people/invitations/${id}`, { method: 'DELETE', headers: { cookie } });
    expect(codeOf(await join_(codeIn(link), 'Late'))).toBe('invitation');
  });

  test('guessing ends after some attempts, also many at the same time', async () => {
    const guess = () => send('/api/session', json({ name: 'Ann', password: 'wrong password' }));
    const codes = (await Promise.all(Array.from({ length: 12 }, guess))).map(codeOf);
    expect(codes.filter((code) => code === 'too-many').length).toBeGreaterThanOrEqual(4);
    const right = json({ name: 'Ann', password: 'correct horse battery' });
    expect(codeOf(await send('/api/session', right))).toBe('too-many');
  });

  test('who is signed out by an admin is out at once', async () => {
    const { link } = await invite({ role: 'annotator', projects: [] });
    const code = codeIn(link);
    const own = await signedIn(
      `/api/session/invitations/${code}`,
      json({ name: 'Gone', password: 'correct horse battery' }),
    );
    const people = JSON.parse((await send('/api/people', { headers: { cookie } })).body);
    const { id } = people.members.find((one: { name: string }) => one.name === 'Gone');
    const patch = { ...json({ disabled: true }, { cookie }), method: 'PATCH' };
    expect((await send(`/api/people/${id}`, patch)).status).toBe(200);
    expect((await send('/api/session', { headers: { cookie: own } })).status).toBe(401);
    const again = json({ name: 'Gone', password: 'correct horse battery' });
    expect(codeOf(await send('/api/session', again))).toBe('wrong');
  });

  test('the owner stays an admin', async () => {
    const people = JSON.parse((await send('/api/people', { headers: { cookie } })).body);
    const { id } = people.members.find((one: { name: string }) => one.name === 'Owner');
    const patch = { ...json({ role: 'annotator' }, { cookie }), method: 'PATCH' };
    expect(codeOf(await send(`/api/people/${id}`, patch))).toBe('last-admin');
  });

  test('a session outlives the Studio, and the owner keeps the name', async () => {
    const people = await People.open(studio.store, {
      ...{ key: 'another-key-of-the-owner', owner: 'Somebody else', url: studio.url },
    });
    expect(await people.current(new Headers({ cookie }))).toMatchObject({ name: 'Owner' });
    const entered = await people.enter('another-key-of-the-owner');
    expect(entered.ok).toBe(true);
    expect((await people.members()).filter(({ role }) => role === 'admin')).toHaveLength(1);
  });
});
