// Battles and answers of models in Chromium, with a server that answers as it is told.
import type { Page } from 'playwright-core';
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

/** Until both answers are there; voting keys work from then on. */
async function complete(page: Page): Promise<void> {
  await page.locator('button:enabled', { hasText: 'A is better' }).waitFor();
  await page.getByRole('group', { name: 'Your vote' }).and(page.locator(':focus')).waitFor();
}

/** Parts that come when the test says so. */
function held() {
  const waiting: ((part: string | null | undefined) => void)[] = [];
  const parts: (string | null | undefined)[] = [];
  async function* answer() {
    // Nobody waits any more for what was asked before.
    waiting.length = 0;
    for (;;) {
      const part =
        parts.length > 0
          ? parts.shift()
          : await new Promise<string | null | undefined>((resolve) => waiting.push(resolve));
      if (part === undefined) return;
      yield part;
    }
  }
  /** undefined ends the answer, null breaks it off. */
  const say = (part: string | null | undefined) => {
    const next = waiting.shift();
    if (next === undefined) parts.push(part);
    else next(part);
  };
  return { answer, say };
}

describe('battles', () => {
  test('are blind until the vote, go on over turns, and become ratings', async () => {
    const { store } = opened.studio;
    const id = await store.openProject('Arena');
    const page = await opened.open(`/projects/${id}/battle`);
    for (let at = 0; at < 6; at++) {
      await page.getByLabel('Your prompt').fill(`question ${at}`);
      await page.getByRole('button', { name: 'Start the battle' }).click();
      await complete(page);
      const shown = await page.getByRole('article').allTextContents();
      expect(shown.join(' ')).not.toMatch(/\bplain\b|\bloud\b/);
      await page.getByLabel('Go on, or vote').fill('and more');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByRole('article').nth(3).waitFor();
      await complete(page);
      await page.keyboard.press(shown[0]!.includes('good') ? '1' : '3');
      await page.getByRole('status').getByText('A was').waitFor();
    }
    const turns = server.asked.filter(({ messages }) => messages.length > 1);
    expect(turns.every(({ messages }) => messages.length === 3)).toBe(true);
    expect(turns[0]!.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(await violationsOf(page)).toEqual([]);

    // Pairs are drawn: one at least is not with the model that names itself.
    const known = await store.startBattle(id, 'Owner', ['plain', 'loud']);
    await store.addTurn(known.id, 'Owner', { prompt: 'Why?', left: 'a', right: 'b' });
    const { left } = await store.sidesOf(known.id);
    const vote = left === 'plain' ? 'left' : 'right';
    await store.voteBattle(known.id, 'Owner', { vote });
    await page.goto(`${opened.studio.url}/projects/${id}/arena`);
    await page.getByRole('table', { name: 'Last battles' }).waitFor();
    const { battles } = await store.battles(id);
    expect(battles).toHaveLength(7);
    for (const { models, vote, leak } of battles) {
      const names = [models.left, models.right];
      expect(leak !== null).toBe(names.includes('boastful'));
      if (names.includes('plain')) expect(models[vote as 'left' | 'right']).toBe('plain');
    }
    expect(await violationsOf(page)).toEqual([]);
  });

  test('both answers grow together, and nothing of them is kept before they are whole', async () => {
    const [fast, slow] = [held(), held()];
    await using writing = await openModelServer({ fast: fast.answer, slow: slow.answer });
    await using alone = await openTestStudio({ models: [writing.url] });
    const { store } = alone.studio;
    const id = await store.openProject('Growing');
    const page = await alone.open(`/projects/${id}/battle`);
    const lengths = async () =>
      (await page.getByRole('article').allInnerTexts()).map((text) => text.length);
    await page.getByLabel('Your prompt').fill('Count');
    await page.keyboard.press('Enter');
    fast.say(`${'one two three '.repeat(40)}`);
    await expect.poll(() => writing.asked.length).toBe(2);
    // Nothing of the first before the second has begun.
    expect(await page.getByText('one two').count()).toBe(0);
    slow.say('four five ');
    slow.say('six seven');
    for (const part of Array.from({ length: 30 }, (_, at) => ` and ${at}`)) slow.say(part);
    await expect.poll(async () => Math.min(...(await lengths()))).toBeGreaterThan(20);
    const [left, right] = await lengths();
    // Letters and lines around them are the same; a space at the end is not counted.
    expect(Math.abs(left! - right!)).toBeLessThanOrEqual(1);
    expect((await store.battles(id)).battles[0]!.turns).toEqual([]);
    expect(await page.getByRole('group', { name: 'Your vote' }).count()).toBe(0);
    fast.say(undefined);
    slow.say(undefined);
    await complete(page);
    const [battle] = (await store.battles(id)).battles;
    const said = battle!.models.left === 'fast' ? battle!.turns[0]!.left : battle!.turns[0]!.right;
    expect(said).toBe('one two three '.repeat(40));
    // The keys work at once.
    await page.keyboard.press('2');
    await page.getByRole('status').getByText('Equally good: A was').waitFor();
    expect(alone.problems).toEqual([]);
  });

  test('Stop takes the question back', async () => {
    const [one, two] = [held(), held()];
    await using writing = await openModelServer({ one: one.answer, two: two.answer });
    await using alone = await openTestStudio({ models: [writing.url] });
    const id = await alone.studio.store.openProject('Stopped');
    const page = await alone.open(`/projects/${id}/battle`);
    await page.getByLabel('Your prompt').fill('Go on for ever');
    await page.getByRole('button', { name: 'Start the battle' }).click();
    for (const model of [one, two]) model.say('begun ');
    await expect.poll(() => writing.asked.length).toBe(2);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('The half answers are not kept').waitFor({ state: 'attached' });
    expect(await page.getByLabel('Your prompt').inputValue()).toBe('Go on for ever');
    expect(await page.getByRole('article').count()).toBe(0);
    expect(await page.getByRole('alert').count()).toBe(0);
    // The models need not write what nobody reads.
    await expect.poll(() => writing.left.toSorted()).toEqual(['one', 'two']);
    expect((await alone.studio.store.battles(id)).battles[0]!.turns).toEqual([]);
    await page.getByRole('button', { name: 'Start the battle' }).click();
    await expect.poll(() => writing.asked.length).toBe(4);
    for (const model of [one, two]) for (const part of ['whole', undefined]) model.say(part);
    await complete(page);
    expect((await alone.studio.store.battles(id)).total).toBe(1);
  });

  test('a model that fails is not named, and the question can be asked again', async () => {
    let fails: string | null = 'sound';
    const answer = (name: string) => (prompt: string) => (fails === name ? null : `to ${prompt}`);
    async function* breaking() {
      yield 'half of ';
      if (fails !== null) yield null;
      yield 'it';
    }
    await using writing = await openModelServer({ sound: answer('sound'), breaking });
    await using alone = await openTestStudio({ models: [writing.url] });
    const { store } = alone.studio;
    const id = await store.openProject('Failing');
    const page = await alone.open(`/projects/${id}/battle`);
    await page.getByLabel('Your prompt').fill('Work');
    await page.keyboard.press('Enter');
    const alert = page.getByRole('alert');
    for (const name of ['refused', 'broken off']) {
      await alert.getByText('A model could not answer').waitFor();
      expect(await alert.textContent(), name).not.toMatch(/sound|breaking|127/);
      expect((await store.battles(id)).battles[0]!.turns).toEqual([]);
      expect(await violationsOf(page)).toEqual([]);
      fails = name === 'refused' ? 'other' : null;
      const asked = writing.asked.length;
      await alert.getByRole('button', { name: 'Try again' }).click();
      await expect.poll(() => writing.asked.length).toBeGreaterThan(asked);
    }
    await complete(page);
    expect((await store.battles(id)).total).toBe(1);
    expect(alone.logged.join(' ')).toMatch(/sound refuses/);
    expect(alone.logged).toHaveLength(2);
    expect(alone.problems).toEqual([]);
  });

  test('answers to a conversation that has gone on elsewhere are refused', async () => {
    const [one, other] = [held(), held()];
    await using writing = await openModelServer({ one: one.answer, other: other.answer });
    await using alone = await openTestStudio({ models: [writing.url] });
    const { store, url } = alone.studio;
    const id = await store.openProject('Elsewhere');
    const page = await alone.open('/projects');
    const { id: battle } = await store.startBattle(id, 'Owner', ['one', 'other']);
    const turns = `${url}/api/projects/${id}/battles/${battle}/turns`;
    const asked = page.request.post(turns, { data: { prompt: 'first' } });
    await expect.poll(() => writing.asked.length).toBe(2);
    const quicker = { prompt: 'second', left: 'L', right: 'R' };
    await store.addTurn(battle, 'Owner', quicker);
    for (const { say } of [one, other]) {
      say('late');
      say(undefined);
    }
    const response = await asked;
    expect(response.status()).toBe(409);
    expect((await response.json()).error.message).toMatch(/another turn.*not saved. Ask again/);
    expect((await store.battleFor(battle, 'Owner')).turns).toEqual([quicker]);
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
  await page.getByText('2 of 2 prompts answered: 2 new tasks').waitFor();
  expect(await violationsOf(page, '[role=dialog]')).toEqual([]);
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

test('answers can be stopped, and the prompts that are left asked again', async () => {
  const [one, two] = [held(), held()];
  await using writing = await openModelServer({ one: one.answer, two: two.answer });
  await using alone = await openTestStudio({ models: [writing.url] });
  const id = await alone.studio.store.openProject('Stopped');
  const page = await alone.open(`/projects/${id}`);
  await page.getByRole('button', { name: 'Answers' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Prompts').fill('first\nsecond');
  for (const name of ['one', 'two']) await page.getByLabel(name).check();
  await page.getByRole('button', { name: 'Have 2 prompts answered' }).click();
  one.say('an answer');
  await dialog.getByText('9 characters of the next answers so far').waitFor();
  two.say('another');
  for (const model of [one, two]) model.say(undefined);
  await dialog.getByText('1 of 2 prompts answered: 1 new task').waitFor();
  await dialog.getByRole('button', { name: 'Stop' }).click();
  await dialog.getByText('Stopped. 1 of 2 prompts answered').waitFor();
  expect(await dialog.getByRole('textbox', { name: 'Prompts' }).inputValue()).toBe('second');
  await dialog.getByRole('button', { name: 'Have 1 prompt answered' }).waitFor();
  const { tasks } = await alone.studio.store.taskList(id, {});
  expect(tasks.map(({ prompt }) => prompt)).toEqual(['first']);
});

test('answers that end before all prompts are answered, without an error, are not all', async () => {
  const id = await opened.studio.store.openProject('Broken off');
  const page = await opened.open(`/projects/${id}`);
  // As a proxy that closes a connection after its time.
  const body = `${JSON.stringify({ done: 1, characters: 0, tasks: 1, known: 0, equal: 0 })}\n`;
  await page.route('**/api/projects/*/answers', (route) =>
    route.fulfill({ contentType: 'application/x-ndjson', body }),
  );
  await page.getByRole('button', { name: 'Answers' }).click();
  await page.getByRole('dialog').getByLabel('Prompts').fill('one\ntwo');
  for (const name of ['plain', 'loud']) await page.getByLabel(name).check();
  await page.getByRole('button', { name: 'Have 2 prompts answered' }).click();
  await page.getByText('The answer of the Studio broke off before its end').waitFor();
  await page.getByText('1 of 2 prompts answered').waitFor();
});

test('an arena without votes has nothing to export, and says so without options', async () => {
  const id = await opened.studio.store.openProject('Nothing');
  const page = await opened.open(`/projects/${id}`);
  await page.getByRole('button', { name: 'Export' }).click();
  const dialog = page.getByRole('dialog');
  const alert = dialog.getByRole('alert');
  await dialog.getByRole('button', { name: 'Download' }).click();
  await alert.getByText('This project has no tasks').waitFor();
  await dialog.getByRole('combobox', { name: 'Rows' }).click();
  await page.getByRole('option', { name: 'Battles of the arena' }).click();
  await dialog.getByRole('button', { name: 'Download' }).click();
  await alert.getByText('Nobody has voted in the arena').waitFor();
  expect(await alert.textContent()).not.toContain('--');
});

test('without servers, the pages say how models come here', async () => {
  await using alone = await openTestStudio();
  const id = await alone.studio.store.openProject('Alone');
  const page = await alone.open(`/projects/${id}/battle`);
  await page.getByRole('heading', { name: 'No two models to compare' }).waitFor();
  expect(await violationsOf(page)).toEqual([]);
});
