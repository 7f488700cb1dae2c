// In Chromium: what judges expect appears after the vote, an empty answer is named as one, and
// admins see what admins did.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violationsOf } from '../testing/accessibility.ts';
import { openTestStudio, type TestStudio } from '../testing/test-studio.ts';

let opened: TestStudio;
beforeAll(async () => {
  opened = await openTestStudio();
});
afterAll(async () => {
  await opened?.[Symbol.asyncDispose]();
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

test('the page of people lists what admins did', async () => {
  const { store } = opened.studio;
  const project = await store.openProject('Logged', 'Eve');
  await store.deleteProject(project, 'Eve');
  const page = await opened.open('/people');
  const log = page.getByRole('table', { name: 'What admins did' });
  const row = log.getByRole('row').filter({ hasText: 'project deleted' });
  await row.waitFor();
  expect(await row.textContent()).toMatch(/Eve.*tasks: 0.*Logged/);
  expect(await violationsOf(page)).toEqual([]);
  expect(opened.problems).toEqual([]);
});
