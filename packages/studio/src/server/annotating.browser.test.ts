// Annotating in Chromium: by keyboard to exported rows, two people at once, taking verdicts back,
// and text that tries to be more than text.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { exportProject } from '../exporting/export-project.ts';
import { importFiles } from '../importing/import-files.ts';
import { violationsOf } from '../testing/accessibility.ts';
import { openTestStudio, type TestStudio } from '../testing/test-studio.ts';

const PASSWORD = 'correct horse battery';

let opened: TestStudio;
beforeAll(async () => {
  opened = await openTestStudio();
});
afterAll(async () => {
  await opened?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  opened.problems.length = 0;
});

/** A project of rows. @returns its id */
async function projectOf(name: string, rows: readonly object[], overlap = 1): Promise<string> {
  const file = join(opened.folder, `${name}.jsonl`);
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
  await importFiles(opened.studio.store, {
    ...{ project: name, files: [file], from: 'auto', columns: null, onBadRow: 'fail' },
    ...{ person: 'imported', question: null, score: null, overlap, gold: false, seed: 1 },
    guidelines: 'Prefer the **true** answer.',
  });
  return opened.studio.store.project(name);
}

const pairs = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    prompt: `Question ${at}`,
    completions: [`good ${at}`, `bad ${at}`],
  }));

/** Presses the key of the side on which the good answer is. */
async function preferGood(page: Page, keys: { left: string; right: string }): Promise<void> {
  const first = await page.getByRole('article', { name: 'Answer A' }).textContent();
  await page.keyboard.press(first?.includes('good') ? keys.left : keys.right);
}

const progress = (page: Page, text: string) => page.getByText(text).waitFor();

async function exported(project: string, to: 'pairs' | 'rankings' | 'kto') {
  const output = join(opened.folder, `${project}-${to}.jsonl`);
  await exportProject(opened.studio.store, {
    ...{ project, to, labels: 'majority', output, overwrite: true, minVotes: 1 },
  });
  return readFileSync(output, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('pairs', () => {
  test('by keyboard alone: verdicts with strengths become rows that train', async () => {
    const id = await projectOf('keyboard', pairs(4));
    const page = await opened.open(`/projects/${id}/annotate`);
    for (let at = 0; at < 4; at++) {
      await progress(page, `${at} done, ${4 - at} left for you`);
      await page.getByRole('article', { name: 'Answer A' }).waitFor();
      await preferGood(page, { left: '1', right: '7' });
      await page.keyboard.press('Enter');
    }
    await page.getByRole('heading', { name: 'Nothing is left for you here' }).waitFor();
    const rows = await exported('keyboard', 'pairs');
    expect(rows.map(({ prompt, chosen, margin }) => [prompt, chosen, margin]).sort()).toEqual(
      [0, 1, 2, 3].map((at) => [`Question ${at}`, `good ${at}`, 3]),
    );
    expect(opened.problems).toEqual([]);
  });

  test('arrows, a tie, both bad, skip, flag and comment are kept', async () => {
    const id = await projectOf('words', pairs(5));
    const page = await opened.open(`/projects/${id}/annotate`);
    await progress(page, '0 done, 5 left for you');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    await page.getByText('A is better', { exact: true }).first().waitFor();
    await page.keyboard.press('f');
    await page.keyboard.press('c');
    await page.getByRole('textbox', { name: 'Comment' }).fill('two keys: 1 and 7');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await progress(page, '1 done, 4 left for you');
    for (const [key, done] of [
      ['4', 2],
      ['0', 3],
    ] as const) {
      await page.keyboard.press(key);
      await page.keyboard.press('Enter');
      await progress(page, `${done} done, ${5 - done} left for you`);
    }
    await page.keyboard.press('s');
    await progress(page, '3 done, 1 left for you');
    const history = await opened.studio.store.history(id, 'Owner');
    const verdicts = history.map(({ verdict }) => verdict).reverse();
    expect(verdicts.map(({ choice }) => choice)).toEqual(['left', 'tie', 'both_bad', null]);
    expect(verdicts[0]).toMatchObject({
      ...{ strength: 2, flagged: true, comment: 'two keys: 1 and 7' },
    });
    expect(verdicts[0]!.seconds).toBeGreaterThan(0);
    expect(opened.problems).toEqual([]);
  });

  test('an early Enter says what is missing, and Send at once needs no Enter', async () => {
    const id = await projectOf('at once', pairs(2));
    const page = await opened.open(`/projects/${id}/annotate`);
    await progress(page, '0 done, 2 left for you');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Say which answer is better first').waitFor();
    await page.getByLabel('Send at once').check();
    await page.keyboard.press('3');
    await progress(page, '1 done, 1 left for you');
  });

  test('a verdict that is taken back comes again as it was, and a new one is a new version', async () => {
    const id = await projectOf('undo', pairs(2));
    const page = await opened.open(`/projects/${id}/annotate`);
    await progress(page, '0 done, 2 left for you');
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
    await progress(page, '1 done, 1 left for you');
    await page.keyboard.press('u');
    await page.getByRole('radio', { name: 'A is much better', checked: true }).waitFor();
    await page.keyboard.press('7');
    // The progress says the same before and after.
    const received = page.waitForResponse('**/verdict');
    await page.keyboard.press('Enter');
    await received;
    const [task] = await opened.studio.store.history(id, 'Owner');
    const versions = await opened.studio.store.versions(task!.task, 'Owner');
    expect(versions.map(({ strength }) => strength)).toEqual([3, 3]);
    expect(versions[0]!.choice).not.toBe(versions[1]!.choice);
  });

  test('a verdict that is taken back leaves the progress and the pace', async () => {
    const id = await projectOf('taken back', pairs(2));
    const page = await opened.open(`/projects/${id}/annotate`);
    await progress(page, '0 done, 2 left for you');
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
    await page.getByText(/^1 done, 1 left for you, \d+ s each/).waitFor();
    await page.keyboard.press('u');
    await page.getByText(/^0 done, 2 left for you$/).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText(/^1 done, 1 left for you, \d+ s each/).waitFor();
  });

  test('of two tabs with one task, the second verdict is refused, and Undo changes the first', async () => {
    const id = await projectOf('tabs', pairs(2));
    const first = await opened.open(`/projects/${id}/annotate`);
    const second = await opened.pageOf(first.context(), `/projects/${id}/annotate`);
    for (const page of [first, second]) await progress(page, '0 done, 2 left for you');
    await first.keyboard.press('1');
    await first.keyboard.press('Enter');
    await progress(first, '1 done, 1 left for you');
    await second.keyboard.press('7');
    await second.keyboard.press('Enter');
    await second.getByRole('alert').getByText('You have already answered this task').waitFor();
    const [line] = await opened.studio.store.history(id, 'Owner');
    const versions = () => opened.studio.store.versions(line!.task, 'Owner');
    expect(await versions()).toHaveLength(1);
    await second.getByRole('button', { name: 'Next task' }).click();
    await progress(second, '1 done, 1 left for you');
    await second.keyboard.press('u');
    await progress(second, '0 done, 2 left for you');
    // What was chosen in the second tab is still there.
    await second.getByRole('radio', { name: 'B is much better', checked: true }).waitFor();
    await second.keyboard.press('Enter');
    await progress(second, '1 done, 1 left for you');
    expect(new Set((await versions()).map(({ choice }) => choice))).toEqual(
      new Set(['left', 'right']),
    );
  });

  test('Undo in the tab that was refused is about its task, and not the newest verdict', async () => {
    const id = await projectOf('older tab', pairs(3));
    const first = await opened.open(`/projects/${id}/annotate`);
    const second = await opened.pageOf(first.context(), `/projects/${id}/annotate`);
    for (const page of [first, second]) await progress(page, '0 done, 3 left for you');
    const shown = await second.locator('#prompt').textContent();
    for (const done of [1, 2]) {
      await first.keyboard.press('1');
      await first.keyboard.press('Enter');
      await progress(first, `${done} done, ${3 - done} left for you`);
    }
    await second.keyboard.press('7');
    await second.keyboard.press('Enter');
    await second.getByRole('alert').getByText('You have already answered this task').waitFor();
    await second.getByRole('button', { name: 'Undo' }).click();
    await progress(second, '1 done, 2 left for you');
    expect(await second.locator('#prompt').textContent()).toBe(shown);
    await second.keyboard.press('Enter');
    await progress(second, '2 done, 1 left for you');
    const lines = await opened.studio.store.history(id, 'Owner');
    const counts = await Promise.all(
      lines.map(async ({ task }) => (await opened.studio.store.versions(task, 'Owner')).length),
    );
    expect(counts).toEqual([2, 1]);
    expect(shown).toContain(lines[0]!.prompt);
  });

  test('a tab that comes back says that its task is answered', async () => {
    const id = await projectOf('comes back', pairs(2));
    const page = await opened.open(`/projects/${id}/annotate`);
    await progress(page, '0 done, 2 left for you');
    const { task } = await opened.studio.store.next(id, 'Owner');
    await opened.studio.store.annotate(task!.id, 'Owner', { choice: 'tie' });
    await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
    await page.getByRole('alert').getByText('You have already answered this task').waitFor();
    await page.keyboard.press('Enter');
    await progress(page, '1 done, 1 left for you');
    await page.getByRole('alert').waitFor({ state: 'detached' });
  });

  test('a reload keeps what was begun', async () => {
    const id = await projectOf('reload', pairs(1));
    const page = await opened.open(`/projects/${id}/annotate`);
    await progress(page, '0 done, 1 left for you');
    await page.keyboard.press('2');
    await page.keyboard.press('c');
    await page.getByRole('textbox', { name: 'Comment' }).fill('begun');
    await page.reload();
    await page.getByText('A is better', { exact: true }).first().waitFor();
    expect(await page.getByRole('textbox', { name: 'Comment' }).inputValue()).toBe('begun');
  });

  test('what follows C and E at once is for the field that they open', async () => {
    const id = await projectOf('fields', pairs(1));
    const page = await opened.open(`/projects/${id}/annotate`);
    await progress(page, '0 done, 1 left for you');
    const focusedAfter = (key: string) =>
      page.evaluate(`
        document.activeElement.blur();
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', bubbles: true }));
        const { labels, ariaLabel } = document.activeElement;
        labels?.[0]?.textContent ?? ariaLabel;
      `);
    expect(await focusedAfter('c')).toBe('Comment');
    expect(await focusedAfter('e')).toBe('Text of the better answer');
    expect(await focusedAfter('c')).toBe('Comment');
  });

  test('a better answer becomes part of the verdict', async () => {
    const id = await projectOf('better', pairs(1));
    const page = await opened.open(`/projects/${id}/annotate`);
    await progress(page, '0 done, 1 left for you');
    await page.keyboard.press('1');
    await page.keyboard.press('e');
    const field = page.getByLabel('Text of the better answer');
    const start = await field.inputValue();
    await field.fill(`${start}, and why`);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('heading', { name: 'Nothing is left for you here' }).waitFor();
    const [line] = await opened.studio.store.history(id, 'Owner');
    expect(line!.verdict.edit).toEqual({ answer: 0, text: `${start}, and why` });
  });
});

test('rankings: numbers from the best to the worst, equal ones by a check mark', async () => {
  const rows = [{ prompt: 'Which?', completions: ['one', 'two', 'three'] }];
  const id = await projectOf('ranking', rows);
  const page = await opened.open(`/projects/${id}/annotate`);
  await progress(page, '0 done, 1 left for you');
  const places = await page.getByRole('article').allTextContents();
  const numberOf = (word: string) => String(places.findIndex((text) => text.includes(word)) + 1);
  await page.keyboard.press(numberOf('two'));
  await page.keyboard.press(numberOf('three'));
  const last = 'ABC'[Number(numberOf('one')) - 1];
  await page
    .getByRole('article')
    .nth(2)
    .and(page.getByLabel(`Answer ${last}`))
    .waitFor();
  await page.getByLabel(`Answer ${last} is as good as the one above`).check();
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('heading', { name: 'Nothing is left for you here' }).waitFor();
  const [row] = await exported('ranking', 'rankings');
  const ranks = Object.fromEntries(
    (row!.completions as string[]).map((text, at) => [text, (row!.ranking as number[])[at]]),
  );
  expect(ranks).toEqual({ two: 1, three: 2, one: 2 });
});

test('the best of several is marked with the mouse', async () => {
  const rows = [{ prompt: 'Which?', completions: ['one', 'two', 'three'] }];
  const id = await projectOf('best', rows);
  await opened.studio.store.saveSettings(id, { ranking: 'best' });
  const page = await opened.open(`/projects/${id}/annotate`);
  await progress(page, '0 done, 1 left for you');
  await page.getByLabel('Answer B is the best').click();
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('heading', { name: 'Nothing is left for you here' }).waitFor();
  const [line] = await opened.studio.store.history(id, 'Owner');
  expect(line!.verdict.ranks).toEqual([2, 1, 2]);
});

test('an answer that is as good as the one above stays where it is', async () => {
  const rows = [{ prompt: 'Which?', completions: ['one', 'two', 'three'] }];
  const id = await projectOf('equal', rows);
  const page = await opened.open(`/projects/${id}/annotate`);
  await progress(page, '0 done, 1 left for you');
  for (const key of ['3', '2']) await page.keyboard.press(key);
  for (const name of ['Answer B', 'Answer A']) {
    await page.getByLabel(`${name} is as good as the one above`).check();
    await page
      .getByRole('article')
      .nth(name === 'Answer B' ? 1 : 2)
      .and(page.getByLabel(name, { exact: true }))
      .waitFor();
  }
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('heading', { name: 'Nothing is left for you here' }).waitFor();
  const [line] = await opened.studio.store.history(id, 'Owner');
  expect(line!.verdict.ranks).toEqual([1, 1, 1]);
});

describe('what the keyboard does elsewhere', () => {
  test('Enter sends after a click on the scale, and presses a link that has the focus', async () => {
    const id = await projectOf('focus', pairs(2));
    const page = await opened.open(`/projects/${id}/annotate`);
    await progress(page, '0 done, 2 left for you');
    await page.getByRole('radio', { name: 'A is much better' }).click();
    await page.keyboard.press('Enter');
    await progress(page, '1 done, 1 left for you');
    await page.keyboard.press('1');
    await page.getByRole('link', { name: 'Projects', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Projects' }).waitFor();
    expect(await opened.studio.store.history(id, 'Owner')).toHaveLength(1);
  });

  test('a key that is held down skips one task, and none behind the help', async () => {
    const id = await projectOf('held', pairs(3));
    const page = await opened.open(`/projects/${id}/annotate`);
    await progress(page, '0 done, 3 left for you');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('s');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'detached' });
    await page.keyboard.down('s');
    await progress(page, '0 done, 2 left for you');
    await page.keyboard.down('s');
    await page.keyboard.up('s');
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
    await progress(page, '1 done, 1 left for you');
  });
});

test('rankings: a handle moves with the keyboard', async () => {
  const id = await projectOf('handle', [{ prompt: 'Which?', completions: ['a', 'b', 'c'] }]);
  const page = await opened.open(`/projects/${id}/annotate`);
  await progress(page, '0 done, 1 left for you');
  const shown = await page.getByRole('article').allTextContents();
  await page.getByRole('button', { name: 'Move answer C' }).focus();
  await page.keyboard.press('Space');
  await page.getByText('Answer C is at place 3').waitFor({ state: 'attached' });
  await page.keyboard.press('ArrowUp');
  await page.getByText('Answer C is at place 2').waitFor({ state: 'attached' });
  await page.keyboard.press('Space');
  await page.getByRole('article', { name: 'Answer C' }).waitFor();
  const names = await page
    .getByRole('article')
    .evaluateAll((cards) => cards.map((card) => card.getAttribute('aria-label')));
  expect(names).toEqual(['Answer A', 'Answer C', 'Answer B']);
  expect(shown).toHaveLength(3);
});

test('thumbs and stars by aspect', async () => {
  const rows = [{ prompt: 'Hello', completion: 'Hi!', label: true }];
  const id = await projectOf('stars', rows, 2);
  await opened.studio.store.saveSettings(id, {
    aspects: [{ key: 'kind', label: 'Kind', question: '', least: 1, most: 5 }],
  });
  const page = await opened.open(`/projects/${id}/annotate`);
  await progress(page, '0 done, 1 left for you');
  await page.getByLabel('Kind of answer A: 4 of 5').focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('2');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('heading', { name: 'Nothing is left for you here' }).waitFor();
  const [line] = await opened.studio.store.history(id, 'Owner');
  expect(line!.verdict).toMatchObject({ choice: 'down', ratings: { kind: [4] } });
});

/** Invites somebody and joins as them. */
async function joined(name: string, projects: string[]): Promise<Page> {
  const admin = await opened.open('/people');
  const response = await admin.request.post(`${opened.studio.url}/api/people/invitations`, {
    data: { name, role: 'annotator', projects },
  });
  const { link } = (await response.json()) as { link: string };
  const page = await opened.pageOf(await opened.profile(), link.slice(opened.studio.url.length));
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByRole('heading', { name: 'Projects' }).waitFor();
  return page;
}

test('a task that went to others leads to the next one', async () => {
  const id = await projectOf('gone', pairs(1));
  const page = await opened.open(`/projects/${id}/annotate`);
  await progress(page, '0 done, 1 left for you');
  const { task } = await opened.studio.store.next(id, 'Owner');
  await opened.studio.store.release(task!.id, 'Owner');
  await page.keyboard.press('1');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('You do not hold this task').waitFor();
  await page.getByRole('button', { name: 'Next task' }).click();
  await page.getByRole('alert').waitFor({ state: 'detached' });
  await page.getByRole('article', { name: 'Answer A' }).waitFor();
});

describe('what was chosen is not lost', () => {
  test('if the verdict does not arrive, not even by a reload', async () => {
    const id = await projectOf('offline', pairs(1));
    const page = await opened.open(`/projects/${id}/annotate`);
    await progress(page, '0 done, 1 left for you');
    await page.route('**/verdict', (route) => route.abort());
    await page.keyboard.press('2');
    await page.keyboard.press('Enter');
    await page.getByText('The Studio does not answer').waitFor();
    await page.unroute('**/verdict');
    await page.reload();
    await page.getByText('A is better', { exact: true }).first().waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Nothing is left for you here' }).waitFor();
    const [line] = await opened.studio.store.history(id, 'Owner');
    expect(line!.verdict).toMatchObject({ strength: 2 });
  });

  test('if the session ends: the page stays as it was until one has signed in again', async () => {
    const id = await projectOf('session', pairs(1));
    const page = await joined('Ida', [id]);
    await page.goto(`${opened.studio.url}/projects/${id}/annotate`);
    await progress(page, '0 done, 1 left for you');
    await page.keyboard.press('2');
    await page.context().clearCookies();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Sign in again' }).waitFor();
    await page.getByRole('textbox', { name: 'Name' }).fill('Ida');
    await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Sign in again' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('heading', { name: 'Nothing is left for you here' }).waitFor();
    const [line] = await opened.studio.store.history(id, 'Ida');
    expect(line!.verdict).toMatchObject({ strength: 2 });
  });

  test('if the owner, who has no password, signs in again by the link in another tab', async () => {
    const id = await projectOf('owner', pairs(1));
    const page = await opened.open(`/projects/${id}/annotate`);
    await progress(page, '0 done, 1 left for you');
    await page.keyboard.press('2');
    await page.context().clearCookies();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Sign in again' }).waitFor();
    await (await page.context().newPage()).goto(opened.studio.link);
    await page.getByRole('heading', { name: 'Sign in again' }).waitFor({ state: 'detached' });
    await page.getByRole('radio', { name: /^A is better/, checked: true }).waitFor();
  });

  test('and is not taken for that of the next person at the same browser', async () => {
    const id = await projectOf('one browser', pairs(1), 2);
    const page = await joined('Kim', [id]);
    await page.goto(`${opened.studio.url}/projects/${id}/annotate`);
    await progress(page, '0 done, 1 left for you');
    await page.keyboard.press('2');
    await page.getByText('A is better', { exact: true }).first().waitFor();
    await page.goto(`${opened.studio.link}&to=${encodeURIComponent(`/projects/${id}/annotate`)}`);
    await progress(page, '0 done, 1 left for you');
    await page.getByText('Which answer is better?', { exact: true }).waitFor();
    expect(await page.getByRole('radio', { checked: true }).count()).toBe(0);
  });
});

describe('two people', () => {
  test('get different tasks, and see only their projects', async () => {
    const id = await projectOf('shared', pairs(2));
    await projectOf('not theirs', pairs(1));
    const [ann, ben] = [await joined('Ann', [id]), await joined('Ben', [id])];
    const prompts: string[] = [];
    for (const page of [ann, ben]) {
      expect(await page.getByText('not theirs').count()).toBe(0);
      await page.getByRole('link', { name: 'Annotate shared' }).click();
      await page.getByRole('article', { name: 'Answer A' }).waitFor();
      prompts.push(await page.getByRole('region', { name: 'Text of the prompt' }).innerText());
    }
    expect(new Set(prompts).size).toBe(2);
    for (const page of [ann, ben]) {
      await preferGood(page, { left: '3', right: '5' });
      await page.keyboard.press('Enter');
    }
    await ann.getByRole('heading', { name: 'Nothing is left for you here' }).waitFor();
    await ben.getByRole('heading', { name: 'Nothing is left for you here' }).waitFor();
    expect(await exported('shared', 'pairs')).toHaveLength(2);
  });

  test('an annotator reaches nothing of admins', async () => {
    const id = await projectOf('private', pairs(1));
    const page = await joined('Eve', []);
    const { url } = opened.studio;
    const statusOf = async (method: string, path: string, data?: object) =>
      (await page.request.fetch(`${url}/api${path}`, { method, data })).status();
    expect(await statusOf('GET', `/projects/${id}`)).toBe(404);
    expect(await statusOf('POST', `/projects/${id}/next`)).toBe(404);
    expect(await statusOf('GET', `/projects/${id}/tasks`)).toBe(404);
    expect(await statusOf('GET', `/projects/${id}/export`)).toBe(404);
    expect(await statusOf('POST', '/projects', { name: 'mine' })).toBe(403);
    expect(await statusOf('GET', '/people')).toBe(403);
    expect(await statusOf('DELETE', `/projects/${id}`)).toBe(404);
  });
});

test('text that tries to be more than text stays text', async () => {
  const attack = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';
  const link = '[press](javascript:window.hit=1) ![](http://other.test/seen.png)';
  const formula = 'So \\(a*b*c\\) and $<img src=x onerror="window.hit=1">$.';
  const rows = [
    { prompt: `${attack}\n\n${formula}`, completions: [`${attack} ${link}`, `**${attack}**`] },
  ];
  const id = await projectOf('attack', rows);
  await opened.studio.store.renameProject(id, attack);
  await opened.studio.store.saveGuidelines(id, `${attack} ${link}`);
  const page = await opened.open(`/projects/${id}/annotate`);
  await page.getByRole('article', { name: 'Answer B' }).waitFor();
  // A formula is shown as it was written.
  await page.getByText(formula, { exact: true }).waitFor();
  await page.keyboard.press('g');
  await page.getByRole('dialog', { name: 'Guidelines' }).waitFor();
  for (const press of await page.getByRole('link', { name: 'press' }).all())
    expect(await press.getAttribute('href')).not.toContain('javascript');
  await page.keyboard.press('d');
  await page.goto(`${opened.studio.url}/projects/${id}`);
  await page.getByRole('heading', { name: attack }).waitFor();
  const hit = await page.evaluate(() => (globalThis as unknown as { hit?: number }).hit);
  expect(hit).toBeUndefined();
  // The image of another host was never asked for.
  expect(opened.problems).toEqual([]);
});

describe('the page', () => {
  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
  ] as const)('has no violation in %s at %d pixels', async (colorScheme, width) => {
    const id = await projectOf(`axe ${colorScheme} ${width}`, pairs(1));
    await opened.studio.store.saveSettings(id, {
      aspects: [{ key: 'kind', label: 'Kind', question: 'Is it kind?', least: 1, most: 5 }],
    });
    const page = await opened.open(`/projects/${id}/annotate`, {
      ...{ colorScheme, viewport: { width, height: 800 } },
    });
    await page.getByRole('article', { name: 'Answer A' }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    // Nothing is wider than the screen.
    const widest = await page.evaluate<number>('document.documentElement.scrollWidth');
    expect(widest).toBeLessThanOrEqual(width);
  });
});

test('a download says how much is in it, and what is left out, and why', async () => {
  const id = await projectOf('download', pairs(3));
  for (const choice of ['left', 'tie'] as const) {
    const { task } = await opened.studio.store.next(id, 'Owner');
    await opened.studio.store.annotate(task!.id, 'Owner', { choice });
  }
  const page = await opened.open(`/projects/${id}`);
  await page.getByRole('button', { name: 'Export' }).click();
  const dialog = page.getByRole('dialog');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Download' }).click(),
  ]);
  expect(
    readFileSync(await download.path(), 'utf8')
      .trim()
      .split('\n'),
  ).toHaveLength(1);
  const said = dialog.getByRole('alert');
  await said.getByText('The file is in your downloads: 1 row of 3 tasks').waitFor();
  expect(await said.getByRole('listitem').allTextContents()).toEqual([
    expect.stringMatching(/^1 left out: .+/),
    expect.stringMatching(/^1 left out: .+/),
  ]);
});
