// The whole loop as a user has it: keel studio, annotating by keyboard, exported rows that train, a
// round and its live page, new answers as tasks; and a kill in the middle of the work.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeTinyChatModel } from '../../../align/src/testing/tiny-chat-model.ts';
import { openBrowser } from '../../../studio/src/testing/browser.ts';
import { keel } from '../testing/command-line.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'keel-studio-command-'));
const inside = (name: string): string => join(folder, name);
let browser: Browser;
const started: ChildProcess[] = [];

interface Running {
  child: ChildProcess;
  url: string;
  link: string;
}

/** Starts `keel studio` on the folder's store. */
async function studio(...more: string[]): Promise<Running> {
  const child = spawn(
    process.execPath,
    [main, 'studio', '--json', '--port', '0', '--owner', 'Owner', ...more],
    { cwd: folder, env: { ...process.env, OMP_NUM_THREADS: '1', KEEL_DATABASE: '' } },
  );
  started.push(child);
  for await (const line of createInterface({ input: child.stdout! })) {
    const { url, link } = JSON.parse(line) as Record<string, string>;
    return { child, url: url!, link: link! };
  }
  throw new Error('keel studio ended before it listened');
}

const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once('close', resolve));

const rows = Array.from({ length: 14 }, (_, at) => ({
  prompt: `hello ${at}`,
  completions: [`world ${at}`, `day ${at}`],
}));

async function openPage({ link }: Running): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(link);
  await page.getByRole('heading', { name: 'Projects' }).waitFor();
  return page;
}

beforeAll(async () => {
  browser = await openBrowser();
  writeTinyChatModel(inside('model'));
  writeFileSync(inside('answers.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
});
afterAll(async () => {
  await browser?.close();
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Prefers the answer that says "world" on the task that is shown. */
async function prefer(page: Page): Promise<void> {
  const first = await page.getByRole('article', { name: 'Answer A' }).textContent();
  await page.keyboard.press(first?.includes('world') ? '1' : '7');
  await page.keyboard.press('Enter');
}

describe('keel studio', () => {
  test('from a file to verdicts, rows, a round that is watched, and new tasks', async () => {
    const running = await studio();
    const page = await openPage(running);
    await page.getByRole('button', { name: 'New project' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Worlds');
    await page.getByRole('button', { name: 'Make the project' }).click();
    await page.getByRole('heading', { name: 'Worlds' }).waitFor();
    await page.getByRole('button', { name: 'Import' }).click();
    await page.locator('input[type=file]').setInputFiles(inside('answers.jsonl'));
    await page.getByRole('dialog').getByRole('button', { name: 'Import' }).click();
    await page.getByText('14 new tasks').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();

    await page.getByRole('link', { name: 'Annotate' }).click();
    for (let at = 0; at < 14; at++) {
      await page.getByText(`${at} done, ${14 - at} left for you`).waitFor();
      await prefer(page);
    }
    await page.getByRole('heading', { name: 'Nothing is left for you here' }).waitFor();

    const database = ['--database', inside('keel-studio.sqlite')];
    const output = ['--output', inside('pairs.jsonl')];
    const exported = await keel(['data', 'export', '--project', 'Worlds', ...database, ...output]);
    expect(exported.code, exported.stderr).toBe(0);
    const lines = readFileSync(inside('pairs.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).chosen).sort()).toEqual(
      rows.map(({ completions }) => completions[0]).sort(),
    );

    await page.goto(`${running.url}/projects`);
    await page.getByRole('link', { name: 'Open Worlds' }).click();
    await page.getByRole('tab', { name: 'Train' }).click();
    await page.getByLabel('Model', { exact: true }).fill(inside('model'));
    await page.getByLabel('Epochs').fill('1');
    await page.getByLabel('New tasks').fill('2');
    await page.getByLabel('Answers to each prompt').fill('2');
    await page.getByRole('button', { name: 'Start the round' }).click();
    await page.getByRole('link', { name: 'Watch round 1' }).click({ timeout: 60_000 });
    await page.getByRole('heading', { name: /round-1/ }).waitFor();
    await page.goBack();
    const finished = page.getByRole('row').filter({ hasText: '1, reward and dpo' });
    await finished.getByText('finished').waitFor({ timeout: 200_000 });
    await page.reload();
    expect(await finished.getByRole('cell').nth(4).textContent()).toBe('2');
    await page.getByRole('tab', { name: 'Tasks' }).click();
    await page.getByText('16 tasks').waitFor();

    // After a verdict, and not before, the person learns what the reward model expected.
    await page.getByRole('tab', { name: 'Settings' }).click();
    await page.getByLabel('Tell people after a verdict').check();
    await page.getByRole('button', { name: 'Save the settings' }).click();
    await page.getByText('The settings are saved').waitFor();
    await page.getByRole('link', { name: 'Annotate' }).click();
    await page.getByText('14 done, 2 left for you').waitFor();
    expect(await page.getByText('reward model').count()).toBe(0);
    await prefer(page);
    await page.getByText(/[AB] was expected with \d+% by the reward model of round 1/).waitFor();
    running.child.kill('SIGINT');
    expect(await ended(running.child)).toBe(130);
  }, 400_000);

  test('a kill -9 loses no verdict that was confirmed', async () => {
    const database = ['--database', inside('killed.sqlite'), '--no-example'];
    const from = [inside('answers.jsonl'), '--project', 'Killed', '--database', database[1]!];
    expect((await keel(['data', 'import', ...from])).code).toBe(0);
    let confirmed = 0;
    for (const more of [3, 2]) {
      const running = await studio(...database);
      const page = await openPage(running);
      await page.getByRole('link', { name: 'Annotate Killed' }).click();
      for (let at = 0; at < more; at++) {
        await page.getByText(`${confirmed} done, ${14 - confirmed} left for you`).waitFor();
        await prefer(page);
        confirmed += 1;
        // The next task is only shown after the verdict was confirmed.
        await page.getByText(`${confirmed} done, ${14 - confirmed} left for you`).waitFor();
      }
      // A verdict is on its way when the server is killed.
      await prefer(page);
      running.child.kill('SIGKILL');
      await ended(running.child);
      await page.close();
      const again = await studio(...database);
      const after = await openPage(again);
      await after.getByRole('link', { name: 'Annotate Killed' }).click();
      const text = await after.getByText(/\d+ done, \d+ left for you/).textContent();
      const done = Number(/^\d+/.exec(text!)![0]);
      expect(done - confirmed).toBeGreaterThanOrEqual(0);
      expect(done - confirmed).toBeLessThanOrEqual(1);
      confirmed = done;
      again.child.kill('SIGKILL');
      await ended(again.child);
    }
  }, 120_000);

  test('says what to do where the address needs a key', async () => {
    const { code, stderr } = await keel(['studio', '--host', '0.0.0.0', '--port', '0'], {
      env: { KEEL_STUDIO_KEY: '', KEEL_DATABASE: inside('other.sqlite') },
    });
    expect(code).toBe(1);
    expect(stderr).toContain('KEEL_STUDIO_KEY');
  });
});
