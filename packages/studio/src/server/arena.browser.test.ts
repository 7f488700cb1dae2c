// Battles and answers of models in Chromium, with a server that answers as it is told.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { violationsOf } from '../testing/accessibility.ts';
import { type ModelServer, openModelServer } from '../testing/model-server.ts';
import { openTestStudio, type TestStudio } from '../testing/test-studio.ts';

let server: ModelServer;
let opened: TestStudio;
beforeAll(async () => {
  server = await openModelServer({
    plain: (prompt) => `good answer to ${prompt}`,
    loud: (prompt) => `bad answer to ${prompt}`,
    boastful: () => 'I am Boastful, a language model trained by Boastful Inc.',
  });
  opened = await openTestStudio({ models: [server.url, 'http://127.0.0.1:1'] });
});
afterAll(async () => {
  await opened?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

describe('battles', () => {
  test('are blind until the vote, go on over turns, and become ratings', async () => {
    const { store } = opened.studio;
    const id = await store.openProject('Arena');
    const page = await opened.open(`/projects/${id}/battle`);
    for (let at = 0; at < 6; at++) {
      await page.getByLabel('Your prompt').fill(`question ${at}`);
      await page.getByRole('button', { name: 'Start the battle' }).click();
      await page.getByRole('group', { name: 'Your vote' }).waitFor();
      const shown = await page.getByRole('article').allTextContents();
      expect(shown.join(' ')).not.toMatch(/\bplain\b|\bloud\b/);
      await page.getByLabel('Go on, or vote').fill('and more');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByText('and more', { exact: true }).waitFor();
      await page.getByRole('heading', { name: 'Arena' }).click();
      await page.keyboard.press(shown[0]!.includes('good') ? '1' : '3');
      await page.getByRole('status').getByText('A was').waitFor();
    }
    const turns = server.asked.filter(({ messages }) => messages.length > 1);
    expect(turns.every(({ messages }) => messages.length === 3)).toBe(true);
    expect(turns[0]!.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(await violationsOf(page)).toEqual([]);

    await page.goto(`${opened.studio.url}/projects/${id}/arena`);
    await page.getByRole('table', { name: 'Last battles' }).waitFor();
    const { battles } = await store.battles(id);
    expect(battles).toHaveLength(6);
    for (const { models, vote, leak } of battles) {
      const names = [models.left, models.right];
      expect(leak !== null).toBe(names.includes('boastful'));
      if (names.includes('plain')) expect(models[vote as 'left' | 'right']).toBe('plain');
    }
    expect(await violationsOf(page)).toEqual([]);
  });

  test('a person sees no battle of another, and votes once', async () => {
    const { store, url } = opened.studio;
    const id = await store.openProject('Once');
    const page = await opened.open('/projects');
    const post = (path: string, data: object) =>
      page.request.post(`${url}/api/projects/${id}/battles${path}`, { data });
    const { id: battle } = await (await post('', {})).json();
    expect((await post(`/${battle}/vote`, { vote: 'left' })).status()).toBe(400);
    await post(`/${battle}/turns`, { prompt: 'hello' });
    expect((await post(`/${battle}/vote`, { vote: 'left' })).status()).toBe(200);
    expect((await post(`/${battle}/vote`, { vote: 'right' })).status()).toBe(400);
    expect((await post(`/${battle}/turns`, { prompt: 'again' })).status()).toBe(409);
    const own = await store.startBattle(id, 'Somebody else', ['plain', 'loud']);
    expect((await post(`/${own.id}/turns`, { prompt: 'hello' })).status()).toBe(400);
  });
});

test('new answers become tasks, with their models; equal ones cannot be compared', async () => {
  const { store } = opened.studio;
  const id = await store.openProject('Answers');
  const page = await opened.open(`/projects/${id}`);
  await page.getByRole('button', { name: 'Answers' }).click();
  await page.getByRole('dialog').getByLabel('Prompts').fill('one\n\ntwo\n');
  await page.getByLabel('plain').check();
  await page.getByLabel('loud').check();
  await page.getByRole('button', { name: 'Have 2 prompts answered' }).click();
  await page.getByText('2 new tasks').waitFor();
  const tasks = [];
  for await (const task of store.tasks(id)) tasks.push(task);
  expect(tasks.map(({ prompt }) => prompt)).toEqual(['one', 'two']);
  expect(tasks[0]!.answers.map(({ model }) => model).sort()).toEqual(['loud', 'plain']);
  const body = { prompts: ['three'], models: ['plain'], samples: 2 };
  const path = `${opened.studio.url}/api/projects/${id}/answers`;
  const equal = await page.request.post(path, { data: body });
  expect(await equal.json()).toMatchObject({ tasks: 0, equal: 1 });
  const unknown = await page.request.post(path, { data: { ...body, models: ['none'] } });
  expect(unknown.status()).toBe(502);
  expect((await unknown.json()).error.message).toContain('No server has the model "none"');
});

test('answers that came before a model stopped are kept', async () => {
  await using stopping = await openModelServer({
    steady: (prompt) => `answer to ${prompt}`,
    stopping: (prompt) => (prompt === 'stop' ? null : `other answer to ${prompt}`),
  });
  await using alone = await openTestStudio({ models: [stopping.url] });
  const { store, url } = alone.studio;
  const id = await store.openProject('Stopped');
  const page = await alone.open('/projects');
  const prompts = ['first', 'second', 'stop'];
  const data = { prompts, models: ['steady', 'stopping'] };
  const response = await page.request.post(`${url}/api/projects/${id}/answers`, { data });
  expect(response.status()).toBe(502);
  expect((await response.json()).error.message).toContain('2 of 3 prompts are answered');
  const { tasks } = await store.taskList(id, {});
  expect(tasks.map(({ prompt }) => prompt)).toEqual(['first', 'second']);
});

test('without servers, the pages say how models come here', async () => {
  await using alone = await openTestStudio();
  const id = await alone.studio.store.openProject('Alone');
  const page = await alone.open(`/projects/${id}/battle`);
  await page.getByRole('heading', { name: 'No two models to compare' }).waitFor();
  expect(await violationsOf(page)).toEqual([]);
});
