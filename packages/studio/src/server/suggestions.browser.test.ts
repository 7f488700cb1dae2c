// In Chromium: what judges expect appears after the vote, an empty answer is named as one, and
// admins see what admins did.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violationsOf } from '../testing/accessibility.ts';
import { type ModelServer, openModelServer } from '../testing/model-server.ts';
import { openTestStudio, type TestStudio } from '../testing/test-studio.ts';

let server: ModelServer;
let opened: TestStudio;
/** How many questions the model `patient` answers at once; it never answers the others. */
const AT_ONCE = 40;
let answered = 0;
beforeAll(async () => {
  server = await openModelServer({
    // Whichever comes first: a bias that asking in both orders takes away.
    first: () => 'A',
    mute: () => null,
    patient: () => (answered++ < AT_ONCE ? 'A' : new Promise<string>(() => {})),
  });
  opened = await openTestStudio({ models: [server.url] });
});
afterAll(async () => {
  await opened?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

test('an empty answer is shown as one, and a suggestion after the vote', async () => {
  const { store } = opened.studio;
  const project = await store.openProject('Suggested');
  await store.saveSettings(project, { suggestions: true });
  const pair = (prompt: string) => ({
    ...{ kind: 'pair' as const, prompt, annotations: [], shown: true },
    answers: [{ content: '' }, { content: [{ role: 'assistant' as const, content: 'Hello' }] }],
  });
  await store.addTasks(project, [pair('One'), pair('Two')], { random: () => 0.99 });
  const { tasks } = await store.taskList(project);
  const expected = new Map(tasks.map(({ id }) => [id, 0.125]));
  await store.saveSuggestions(project, 'a careful judge', expected);
  const page = await opened.open(`/projects/${project}/annotate`);
  await page.getByText('(empty answer)', { exact: true }).waitFor();
  expect(await page.content()).not.toContain('careful');
  expect(await violationsOf(page)).toEqual([]);
  const [first] = await page.getByRole('article').allTextContents();
  await page.keyboard.press('1');
  await page.keyboard.press('Enter');
  const better = first!.includes('Hello') ? 'A' : 'B';
  await page.getByText(`${better} was expected with 88% by a careful judge`).waitFor();
  await page.getByText('Two', { exact: true }).waitFor();
  expect(opened.problems).toEqual([]);
});

test('agreement names verdicts that may follow a suggestion, and can leave them out', async () => {
  const { store } = opened.studio;
  const project = await store.openProject('Influenced');
  const answers = [{ content: 'Hello' }, { content: 'Bye' }];
  const annotations = ['Ann', 'Ben'].map((person) => ({ person, choice: 'left' as const }));
  const input = { kind: 'pair' as const, prompt: 'Q', answers, annotations, shown: true };
  await store.addTasks(project, [input], { random: () => 0.99 });
  const [task] = (await store.taskList(project)).tasks;
  await store.noteSuggestionsShown(task!.id, 'Ann');
  await store.reopen(task!.id, 'Ann');
  await store.annotate(task!.id, 'Ann', { choice: 'tie' });
  const page = await opened.open(`/projects/${project}/agreement`);
  await page.getByText('1 verdict may have been given after a suggestion').waitFor();
  await page.getByText('left 50%, tie 50%').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.getByRole('switch', { name: /^Only verdicts from before a suggestion/ }).check();
  await page.getByText('left 100%').waitFor();
  await page.goto(`${opened.studio.url}/projects/${project}/tasks/${task!.id}`);
  await page
    .getByRole('row', { name: /Ann \(version 2\)/ })
    .getByText('after a suggestion')
    .waitFor();
  expect(await page.getByText('after a suggestion').count()).toBe(1);
  expect(await violationsOf(page)).toEqual([]);
  expect(opened.problems).toEqual([]);
});

test('the page of people lists what admins did', async () => {
  const { store } = opened.studio;
  const project = await store.openProject('Logged', 'Eve');
  const older = { person: 'Eve', action: 'project renamed', project: 'Older' } as const;
  for (let at = 0; at < 221; at++) await store.noteAction({ ...older, details: { at } });
  await store.deleteProject(project, 'Eve');
  const page = await opened.open('/people');
  const log = page.getByRole('table', { name: 'What admins did' });
  const row = log.getByRole('row').filter({ hasText: 'project deleted' });
  await row.waitFor();
  expect(await row.textContent()).toMatch(/Eve.*tasks 0.*Logged/);
  expect(await violationsOf(page)).toEqual([]);
  // All of them, page by page.
  const more = page.getByRole('button', { name: /^Show more of/ });
  for (let shown = 20; await more.isVisible(); shown += 20) {
    await log.getByRole('row').nth(shown).waitFor();
    await more.click();
    await log
      .getByRole('row')
      .nth(shown + 1)
      .waitFor();
  }
  const { total } = await store.actions();
  expect(total).toBeGreaterThan(221);
  expect(await log.getByRole('row').count()).toBe(total + 1);
  expect(opened.problems).toEqual([]);
});

test('an admin asks a model of a server for suggestions', async () => {
  const { store } = opened.studio;
  const project = await store.openProject('Asked');
  const answers = [{ content: 'Hello' }, { content: 'Bye' }];
  await store.addTasks(project, [{ kind: 'pair', prompt: 'Q', answers, annotations: [] }], {
    random: () => 0.99,
  });
  const page = await opened.open(`/projects/${project}/settings`);
  await page.getByRole('combobox', { name: 'Judge' }).click();
  await page.getByRole('option', { name: 'first' }).click();
  await page.getByRole('button', { name: 'Ask the judge' }).click();
  await page.getByRole('status').getByText('1 new suggestion').waitFor();
  const [task] = (await store.taskList(project)).tasks;
  expect(await store.suggestionsOf(task!.id)).toEqual([{ by: 'first', probability: 0.5 }]);
  expect(server.asked.length).toBeGreaterThanOrEqual(2);
  await page.getByRole('button', { name: 'Ask the judge' }).click();
  await page.getByText('1 that were there already').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  const { actions } = await store.actions({ project: 'Asked', action: 'suggestions added' });
  expect(actions).toMatchObject([{ person: 'Owner', details: { source: 'first', tasks: 1 } }]);
  const path = `${opened.studio.url}/api/projects/${project}/suggestions`;
  const unknown = await page.request.post(path, { data: { model: 'none' } });
  expect(unknown.status()).toBe(502);
  const mute = await page.request.post(path, { data: { model: 'mute' } });
  expect(await mute.json()).toMatchObject({ error: { code: 'model-server' } });
  expect(await store.suggestionsOf(task!.id)).toHaveLength(1);
});

test('a judge shows how far it is, and what it said is kept when it is stopped', async () => {
  const { store } = opened.studio;
  const project = await store.openProject('Long');
  const answers = [{ content: 'Hello' }, { content: 'Bye' }];
  const inputs = Array.from({ length: 60 }, (_, at) => ({
    ...{ kind: 'pair' as const, prompt: `Q ${at}`, answers, annotations: [] },
  }));
  await store.addTasks(project, inputs, { random: () => 0.99 });
  const page = await opened.open(`/projects/${project}/settings`);
  await page.getByRole('combobox', { name: 'Judge' }).click();
  await page.getByRole('option', { name: 'patient' }).click();
  await page.getByRole('textbox', { name: 'Pairs at most' }).fill('60');
  await page.getByRole('button', { name: 'Ask the judge' }).click();
  await page.getByText(/^[1-9]\d* of 60 pairs read$/).waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('Stopped. What the judge has said is saved.').waitFor();
  await expect
    .poll(async () => (await store.suggestedTasks(project, 'patient')).size)
    .toBeGreaterThan(0);
  await page.getByRole('button', { name: 'Ask the judge' }).waitFor();
  expect(opened.problems).toEqual([]);
});
