// What the Studio's pages of rounds and people do, from the command line.
import { type OptionsDefinition, resolveOptions } from '@keel/align/config';
import { PreferenceStore } from '@keel/studio';
import { People } from '@keel/studio/server';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const folder = new TemporaryFolder();
const database = folder.file('store.sqlite');
const env = { KEEL_DATABASE: database, KEEL_CACHE: folder.file('cache') };

beforeAll(async () => {
  await using store = await PreferenceStore.open(database);
  const project = await store.openProject('p');
  const inputs = Array.from({ length: 30 }, (_, at) => ({
    ...{ kind: 'pair' as const, prompt: `prompt ${at}`, shown: true },
    answers: [{ content: 'one' }, { content: 'two' }],
    annotations: [{ person: 'Ann', choice: 'left' as const }],
  }));
  await store.addTasks(project, inputs, { random: () => 0.99 });
});
afterAll(() => folder[Symbol.dispose]());

const call = (...args: string[]) => keel(['data', ...args], { env });

async function shown(...args: string[]): Promise<string> {
  const ended = await call(...args);
  expect(ended.code, ended.stderr).toBe(0);
  return ended.stdout;
}

const json = async (...args: string[]) => jsonLines(await shown(...args, '--json')).at(-1)!;

test('a round is started, and says why it could not train', async () => {
  const rounds = ['rounds', '--project', 'p', '--runs', folder.file('runs')];
  expect(await json(...rounds)).toEqual({ rounds: [], started: null });
  const model = folder.file('no-such-model');
  const text = await shown(...[...rounds, '--start', '--method', 'none', '--model', model]);
  expect(text).toMatch(/1 +reward +(starting|not started)/);
  expect(text).toMatch(/round 1 runs in .*round-1, and prints to .*round-1\.log/);
  const first = async () => {
    const [round] = (await json(...rounds)).rounds as Record<string, unknown>[];
    return round!;
  };
  await vi.waitUntil(async () => (await first()).state === 'not started', 60_000);
  expect(await first()).toMatchObject({
    ...{ number: 1, newTasks: null, accuracy: null },
    options: { method: 'none', model, epochs: 3, newTasks: 20, samples: 4 },
    log: expect.stringContaining('no-such-model'),
  });
  expect(await shown(...rounds)).toMatch(/round 1: error: .*no-such-model/);
  const stopped = await call(...rounds, '--stop', '1');
  expect([stopped.code, stopped.stderr]).toEqual([1, expect.stringContaining('is not running')]);
});

const url = 'https://studio.example.org';
const opened = (store: PreferenceStore) => People.open(store, { key: '', owner: '', url });

test('somebody is invited, joins, and is listed', async () => {
  const invited = await json('people', '--invite', 'Ann', '--projects', 'p', '--url', url);
  expect(invited).toMatchObject({ members: [], invitations: [{ name: 'Ann', role: 'annotator' }] });
  const link = String(invited.link);
  expect(link.startsWith(`${url}/join/`)).toBe(true);
  {
    await using store = await PreferenceStore.open(database);
    const people = await opened(store);
    const response = await people.join(link.slice(`${url}/join/`.length), '', 'a long password');
    expect(response.ok).toBe(true);
  }
  const text = await shown('people', '--invite', 'Bob', '--role', 'admin');
  expect(text).toMatch(/^Ann +annotator +p +\d{4}-\d\d-\d\d +30$/m);
  expect(text).toMatch(/^Bob +admin +all /m);
  expect(text).toContain('http://127.0.0.1:4680/join/');
});

test('an invitation is withdrawn by its name, or by its id where several have one name', async () => {
  const ids: string[] = [];
  {
    await using store = await PreferenceStore.open(database);
    const people = await opened(store);
    for (const name of ['Cid', 'Cid', 'Dan'])
      ids.push((await people.invite({ name, role: 'admin', projects: [] }, null)).id);
  }
  const twice = await call('people', '--withdraw', 'Cid');
  expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('2 open invitations')]);
  await shown('people', '--withdraw', ids[0]!);
  await shown('people', '--withdraw', 'Dan');
  await using store = await PreferenceStore.open(database);
  const open = (await (await opened(store)).invitations()).map(({ id }) => id);
  expect(ids.filter((id) => open.includes(id))).toEqual([ids[1]]);
  const { actions } = await store.actions({ action: 'invitation withdrawn' });
  expect(actions.map(({ details }) => details.name)).toEqual(['Dan', 'Cid']);
});

const verbOptions = {
  people: () => import('../options/data-people.ts'),
  rounds: () => import('../options/data-rounds.ts'),
} as const;

test.each([
  ['rounds', { project: 'p', start: true, stop: '1' }, 'pass one of --start, --stop and --resume'],
  ['rounds', { project: 'p', epochs: '2' }, '--epochs: has no effect without --start'],
  ['people', { invite: 'Ann' }, '--projects: name the projects'],
  ['people', { invite: 'Ann', role: 'admin', projects: ['p'] }, 'works on all projects'],
  ['people', { role: 'admin' }, 'has no effect without --invite'],
  ['people', { invite: 'a\u202eb', role: 'admin' }, 'control characters'],
  ['people', { invite: 'a', role: 'admin', withdraw: 'b' }, 'pass one of --invite'],
] as const)('%s with %j is refused', async (verb, flags, message) => {
  const { definition } = (await verbOptions[verb]()) as { definition: OptionsDefinition };
  expect(() => resolveOptions(definition, { flags })).toThrow(message);
});
