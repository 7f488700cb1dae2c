// What judges expect is sent after the verdict, and by no route before it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Studio, startStudio } from './start-studio.ts';

const KEY = 'a-key-for-tests-only';
let folder: string;
let studio: Studio;
let cookie: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keel-studio-suggestions-'));
  studio = await startStudio({
    ...{ database: join(folder, 'studio.sqlite'), port: 0, key: KEY, owner: 'Owner' },
    log: () => {},
  });
  const entered = await fetch(studio.link, { redirect: 'manual' });
  cookie = entered.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
});
afterAll(async () => {
  await studio?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function send(path: string, method = 'GET', body?: object): Promise<string> {
  const response = await fetch(`${studio.url}/api${path}`, {
    method,
    headers: { cookie, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  expect(response.ok).toBe(true);
  return response.text();
}

test('a suggestion is hidden until the person has voted', async () => {
  const { store } = studio;
  const project = await store.openProject('p');
  await store.saveSettings(project, { suggestions: true, overlap: 2 });
  const answers = [{ content: 'first' }, { content: 'second' }];
  const columns = { round: { number: 1, why: 'hard', value: 0.5, likes: { key: 0.6875 } } };
  const input = { kind: 'pair' as const, prompt: 'Q', answers, annotations: [], columns };
  await store.addTasks(project, [input], { random: () => 0.99 });
  const [task] = (await store.taskList(project)).tasks;
  await store.saveSuggestions(project, 'the-judge', new Map([[task!.id, 0.875]]));
  const path = `/projects/${project}`;
  // Admins annotate and settle tasks too.
  const before = [
    ...[await send(`${path}/next`, 'POST'), await send(`${path}/progress`), await send(path)],
    ...[await send(`${path}/tasks`), await send(`${path}/tasks/${task!.id}`)],
    ...[await send(`${path}/history`), await send('/projects')],
    await send(`${path}/tasks/${task!.id}/verdict`, 'POST', { choice: null }),
    await send(`${path}/tasks/${task!.id}`),
    await send(`${path}/tasks/${task!.id}/reopen`, 'POST'),
  ];
  for (const text of before) expect(text).not.toMatch(/the-judge|0\.875|0\.125|0\.6875/);
  // Nor does it matter that somebody else has settled the task.
  await store.adjudicate(task!.id, 'Eve', { choice: 'left' });
  expect(await send(`${path}/tasks/${task!.id}`)).not.toMatch(/the-judge|0\.6875/);
  const [first] = (await store.taskFor(project, task!.id, 'Owner')).answers;
  const voted = await send(`${path}/tasks/${task!.id}/verdict`, 'POST', { choice: 'tie' });
  const left = first === 'first' ? 0.875 : 0.125;
  expect(JSON.parse(voted).suggestions).toEqual([{ by: 'the-judge', left }]);
  const detail = JSON.parse(await send(`${path}/tasks/${task!.id}`));
  expect(detail.suggestions).toEqual([{ by: 'the-judge', probability: 0.875 }]);
  expect(detail.columns).toEqual(columns);
  // A verdict that is being changed is none.
  await send(`${path}/tasks/${task!.id}/reopen`, 'POST');
  expect(await send(`${path}/tasks/${task!.id}`)).not.toMatch(/the-judge|0\.6875/);
  await send(`${path}/tasks/${task!.id}/verdict`, 'POST', { choice: 'tie' });
  // The skip and the first verdict came before the suggestion, the next one after it.
  const { versions } = JSON.parse(await send(`${path}/tasks/${task!.id}`));
  expect(versions.map((one: { afterSuggestion: boolean }) => one.afterSuggestion)).toEqual([
    ...[false, false, true],
  ]);
  const agreement = async (query: string) => JSON.parse(await send(`${path}/agreement${query}`));
  expect((await agreement('')).all).toMatchObject({ verdicts: 1, afterSuggestion: 1 });
  const independent = await agreement('?independent=true');
  expect(independent.all).toMatchObject({ verdicts: 1, afterSuggestion: 0 });
  // Where the project does not show them, nobody learns them.
  await store.saveSettings(project, { suggestions: false });
  const again = await send(`${path}/tasks/${task!.id}/verdict`, 'POST', { choice: 'left' });
  expect(JSON.parse(again).suggestions).toEqual([]);
});

test("an admin who reads a suggestion on the task's page has been shown it", async () => {
  const { store } = studio;
  const project = await store.openProject('read');
  await store.saveSettings(project, { suggestions: false });
  const answers = [{ content: 'first' }, { content: 'second' }];
  const input = { kind: 'pair' as const, prompt: 'Q', answers, annotations: [] };
  await store.addTasks(project, [input], { random: () => 0.99 });
  const [task] = (await store.taskList(project)).tasks;
  const path = `/projects/${project}/tasks/${task!.id}`;
  await send(`/projects/${project}/next`, 'POST');
  const again = async () => {
    await store.reopen(task!.id, 'Owner');
    await send(`${path}/verdict`, 'POST', { choice: 'left' });
    return (await store.versions(task!.id, 'Owner')).at(-1)!.afterSuggestion;
  };
  await send(`${path}/verdict`, 'POST', { choice: 'left' });
  await send(path);
  expect(await again()).toBe(false);
  await store.saveSuggestions(project, 'the-judge', new Map([[task!.id, 0.875]]));
  expect(await again()).toBe(false);
  await send(path);
  expect(await again()).toBe(true);
});

test('admins read the log of actions, others do not', async () => {
  await send('/projects', 'POST', { name: 'logged' });
  const log = JSON.parse(await send('/people/actions?project=logged'));
  expect(log).toMatchObject({
    total: 1,
    actions: [{ person: 'Owner', action: 'project created', project: 'logged' }],
  });
  const stranger = await fetch(`${studio.url}/api/people/actions`);
  expect(stranger.status).toBe(401);
});
