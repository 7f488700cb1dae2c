// All pages, on small screens and by keyboard: nothing is cut off, the focus is seen, dialogs give
// it back, and what happens is announced.
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { violationsOf } from '../testing/accessibility.ts';
import { type FullStudio, hardPairs, openFullStudio } from '../testing/every-page.ts';
import { cutTexts, overflowOf } from '../testing/looking.ts';

let full: FullStudio;
beforeAll(async () => {
  full = await openFullStudio();
});
afterAll(async () => {
  await full?.[Symbol.asyncDispose]();
});
beforeEach(() => {
  full.opened.problems.length = 0;
});

describe('nothing is cut off, and nothing scrolls to the side', () => {
  test.each([
    [
      'a dark phone of 320 pixels',
      { viewport: { width: 320, height: 640 }, colorScheme: 'dark' as const },
    ],
    [
      'a light screen of 1280 pixels at 200%',
      { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
    ],
  ])('on %s, without a violation', async (_, options) => {
    const page = await full.opened.open('/projects', options);
    const faults: Record<string, unknown> = {};
    for (const { name, path, ready } of full.pages) {
      await page.goto(full.opened.studio.url + path);
      await ready(page);
      const [wider, cut] = [await overflowOf(page), await cutTexts(page)];
      const violations = await violationsOf(page);
      if (wider > 0 || cut.length + violations.length > 0)
        faults[name] = { wider, cut, violations };
    }
    expect(faults).toEqual({});
    expect(full.opened.problems).toEqual([]);
  });

  test('whatever the texts of a task are', async () => {
    const { store } = full.opened.studio;
    const id = await store.openProject('Small');
    await store.addTasks(id, hardPairs, { overlap: 1, random: () => 0.99 });
    const page = await full.opened.open(`/projects/${id}/annotate`, {
      viewport: { width: 320, height: 640 },
    });
    const faults: unknown[] = [];
    for (;;) {
      await page.getByRole('article', { name: 'Answer A' }).or(done(page)).waitFor();
      if (await done(page).isVisible()) break;
      const prompt = await page.getByRole('region', { name: 'Text of the prompt' }).innerText();
      for (const plain of [false, true]) {
        if (plain) await page.keyboard.press('p');
        const found = { wider: await overflowOf(page), cut: await cutTexts(page) };
        if (found.wider > 0 || found.cut.length > 0) faults.push({ prompt, plain, ...found });
      }
      await page.keyboard.press('p');
      const received = page.waitForResponse('**/next');
      await page.keyboard.press('s');
      await received;
    }
    expect(faults).toEqual([]);
  });
});

const done = (page: Page): Locator =>
  page.getByRole('heading', { name: 'Nothing is left for you here' });

/** Where the focus is, how it is called, and whether something else covers it. */
const focused = (page: Page) =>
  page.evaluate<{ name: string; kind: string; box: Box | null; isCovered: boolean }>(`(() => {
    const one = document.activeElement;
    if (one === null || one === document.body) return { name: '', kind: '', box: null, isCovered: false };
    // What is seen of a check mark or a switch is beside it.
    const seen = one.matches('input[type=checkbox], input[type=radio]') ? one.parentElement : one;
    const { x, y, width, height } = seen.getBoundingClientRect();
    const [left, top] = [Math.max(0, x), Math.max(0, y)];
    const middle = [
      Math.min(x + width / 2, innerWidth - 2),
      Math.max(0, Math.min((top + Math.min(y + height, innerHeight)) / 2, innerHeight - 2)),
    ];
    const hit = document.elementFromPoint(...middle);
    const isCovered = hit === null || !(seen.contains(hit) || hit.contains(seen));
    const name = one.getAttribute('aria-label') ?? one.textContent.trim().slice(0, 40);
    return { name, kind: one.tagName + ' ' + one.className, box: { x: left, y: top, width, height }, isCovered };
  })()`);

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

describe('by keyboard', () => {
  test('what has the focus is seen, and covered by nothing', async () => {
    const page = await full.opened.open('/projects', { viewport: { width: 1000, height: 700 } });
    const known = new Set<string>();
    const faults: string[] = [];
    const look = (box: Box) =>
      page.screenshot({
        caret: 'hide',
        clip: {
          x: Math.max(0, box.x - 16),
          y: Math.max(0, box.y - 16),
          width: Math.min(box.width + 32, 300),
          height: Math.min(box.height + 32, 120),
        },
      });
    for (const { name: shown, path, ready } of full.pages) {
      await page.goto(full.opened.studio.url + path);
      await ready(page);
      let steps = 0;
      for (; steps < 40; steps++) {
        await page.keyboard.press('Tab');
        const { name, kind, box, isCovered } = await focused(page);
        if (box === null) break;
        if (isCovered) faults.push(`${shown}: ${name} is covered`);
        // One of each kind is enough.
        if (known.has(kind)) continue;
        known.add(kind);
        const before = await look(box);
        await page.evaluate('document.activeElement.blur()');
        const after = await look(box);
        if (before.equals(after)) faults.push(`${shown}: the focus on ${name} is not seen`);
      }
      expect(steps, shown).toBeGreaterThan(3);
    }
    expect(faults).toEqual([]);
  });

  test('the first stop of a page leads past its menu', async () => {
    const page = await full.opened.open('/people');
    await page.getByRole('table', { name: 'People who can sign in' }).waitFor();
    await page.keyboard.press('Tab');
    expect((await focused(page)).name).toBe('Skip to the page');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect((await focused(page)).name).toBe('Invite');
  });

  test('dialogs take the focus, and give it back', async () => {
    const { texts } = full.projects;
    const page = await full.opened.open('/projects');
    for (const [path, button, dialog] of [
      ['/projects', 'New project', 'New project'],
      [`/projects/${texts}`, 'Import', 'Import'],
      [`/projects/${texts}`, 'Answers', 'Answers of models'],
      [`/projects/${texts}`, 'Export', 'Export'],
      [`/projects/${texts}/settings`, 'Delete the project …', 'Delete'],
      [`/projects/${texts}/annotate`, 'Keys', 'Keys'],
      ['/people', 'Invite', 'Invite a person'],
      ['/runs/view/grpo', 'Resume', 'Resume'],
    ] as const) {
      await page.goto(full.opened.studio.url + path);
      const opener = page.getByRole('button', { name: button, exact: true });
      await opener.focus();
      await page.keyboard.press('Enter');
      const shown = page.getByRole('dialog', { name: dialog });
      await shown.waitFor();
      await shown.locator(':focus').waitFor();
      await page.keyboard.press('Escape');
      await shown.waitFor({ state: 'detached' });
      await opener.and(page.locator(':focus')).waitFor();
    }
    expect(full.opened.problems).toEqual([]);
  });
});

describe('what happens is announced', () => {
  const statusOf = (page: Page) => page.getByRole('main').ariaSnapshot();

  test('verdicts, skips, Undo and what is missing', async () => {
    const { store } = full.opened.studio;
    const id = await store.openProject('Announced');
    const answers = [{ content: 'a' }, { content: 'b' }];
    const inputs = [0, 1, 2].map((at): Parameters<typeof store.addTasks>[1][number] => ({
      ...{ kind: 'pair', prompt: `Question ${at}`, answers, annotations: [] },
    }));
    await store.addTasks(id, inputs, { overlap: 1, random: () => 0.99 });
    const page = await full.opened.open(`/projects/${id}/annotate`);
    await page.getByText('0 done, 3 left for you').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    expect(await statusOf(page)).toContain('- alert: Say which answer is better first');
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
    await page.getByText('1 done, 2 left for you').waitFor();
    expect(await statusOf(page)).toMatch(/- status: ["']?Verdict saved: 1 done, 2 left/);
    await page.keyboard.press('s');
    await page.getByText('1 done, 1 left for you').waitFor();
    expect(await statusOf(page)).toMatch(/- status: ["']?Task skipped: 1 done, 1 left/);
    await page.keyboard.press('u');
    await page.getByText('1 done, 2 left for you').waitFor();
    expect(await statusOf(page)).toMatch(/- status: ["']?Verdict taken back: 1 done, 2 left/);
    await page.route('**/verdict', (route) => route.abort());
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('The Studio does not answer').waitFor();
    expect(await statusOf(page)).toMatch(/- alert "?This did not work/);
  });

  test('a new task is read from its beginning', async () => {
    const { store } = full.opened.studio;
    const id = await store.openProject('Beginning');
    const long = Array.from({ length: 300 }, (_, at) => `Line ${at}`).join('\n\n');
    const inputs = [0, 1].map((at): Parameters<typeof store.addTasks>[1][number] => ({
      ...{ kind: 'pair', prompt: `Question ${at}`, annotations: [] },
      answers: [{ content: `${at} ${long}` }, { content: `other ${at} ${long}` }],
    }));
    await store.addTasks(id, inputs, { overlap: 1, random: () => 0.99 });
    const page = await full.opened.open(`/projects/${id}/annotate`);
    await page.getByText('0 done, 2 left for you').waitFor();
    await page.evaluate('scrollTo(0, 3000)');
    await page.keyboard.press('1');
    await page.getByRole('button', { name: 'Send' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('1 done, 1 left for you').waitFor();
    await expect.poll(() => page.evaluate<number>('scrollY')).toBe(0);
    expect((await focused(page)).name).toBe('Prompt');
  });
});

describe('what goes wrong is said, and the way on too', () => {
  test('a part of the application that does not arrive', async () => {
    const page = await full.opened.open('/projects');
    await page.getByRole('link', { name: 'Annotate Rankings' }).waitFor();
    await page.route('**/assets/annotate*', (route) => route.abort());
    await page.getByRole('link', { name: 'Annotate Rankings' }).click();
    await page.getByRole('alert').getByText('A part of this page did not arrive').waitFor();
    // The frame is still there, and other pages are.
    await page.getByRole('link', { name: 'People', exact: true }).click();
    await page.getByRole('table', { name: 'People who can sign in' }).waitFor();
    await page.unroute('**/assets/annotate*');
    await page.goBack();
    await page.getByRole('button', { name: 'Load again' }).or(answerA(page)).first().waitFor();
    await page.reload();
    await answerA(page).waitFor();
  });

  test('a project that somebody else deletes', async () => {
    const { store, url } = full.opened.studio;
    const id = await store.openProject('Deleted');
    await store.addTasks(id, hardPairs.slice(0, 2), { overlap: 1, random: () => 0.99 });
    const page = await full.opened.open(`/projects/${id}/annotate`);
    await answerA(page).waitFor();
    await store.deleteProject(id);
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('There is no such project').waitFor();
    for (const path of ['', '/annotate', '/battle', '/settings', '/tasks/none']) {
      await page.goto(`${url}/projects/${id}${path}`);
      await page.getByRole('alert').getByText('There is no such project').waitFor();
    }
  });

  test('a Studio that does not answer', async () => {
    const { texts } = full.projects;
    const page = await full.opened.open('/projects');
    await page.getByRole('link', { name: 'Annotate Rankings' }).waitFor();
    await page.route('**/api/**', (route) => route.abort());
    await page.getByRole('link', { name: /^Open Texts/ }).click();
    await page.getByRole('alert').getByText('The Studio does not answer').waitFor();
    await page.unroute('**/api/**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('table', { name: 'Tasks' }).waitFor();
    expect(page.url()).toContain(texts);
  });
});

const answerA = (page: Page): Locator => page.getByRole('article', { name: 'Answer A' });
