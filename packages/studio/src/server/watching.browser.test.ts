// The pages of runs in Chromium: what they show of runs in all states, while they change.
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { violationsOf } from '../testing/accessibility.ts';
import { openTestStudio, type TestStudio } from '../testing/test-studio.ts';
import { trainingFiles, writeFiles } from '../watching/testing/run-folders.ts';
import { startTrainer } from '../watching/testing/trainer-process.ts';
import { attackName, SAMPLES, writeRuns } from '../watching/testing/watched-runs.ts';

let opened: TestStudio;
let folder: string;
let runs: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keel-watching-'));
  runs = join(folder, 'runs');
  mkdirSync(runs);
  writeRuns(runs);
  opened = await openTestStudio({
    ...{
      runs,
      keel: [process.execPath, '--eval', 'console.log("resumed"); process.exit(3)', '--'],
    },
  });
});
afterAll(async () => {
  await opened?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  opened.problems.length = 0;
});

const openRuns = (path = '', options = {}): Promise<Page> => opened.open(`/runs${path}`, options);

/** Nothing of a run was taken for HTML, and nothing failed beside what was asked for. */
async function expectSound(page: Page): Promise<void> {
  expect(await page.evaluate(() => (globalThis as { attacked?: true }).attacked)).toBeUndefined();
  expect(opened.problems).toEqual([]);
}

describe('the list', () => {
  test('all kinds of runs with their state, and links to them', async () => {
    const page = await openRuns();
    await page.getByText('8 runs').waitFor();
    const row = page.getByRole('row', { name: /grpo-other/ });
    expect(await row.textContent()).toContain('finished');
    expect(await row.textContent()).toContain('20 of 80');
    expect(await page.getByText(attackName).count()).toBe(1);
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole('link', { name: 'group/' }).click();
    await page.getByText('The run failed').waitFor();
    await expectSound(page);
  });

  test('filters are in the address', async () => {
    const page = await openRuns();
    await page.getByLabel('Find runs').fill('OTHER grpo');
    await page.getByText('1 of 8 runs').waitFor();
    expect(page.url()).toContain('text=OTHER+grpo');
    await page.reload();
    await page.getByText('1 of 8 runs').waitFor();
    await page.getByLabel('Find runs').fill('nothing like this');
    await page.getByText('No run is like this').waitFor();
    await expectSound(page);
  });

  test('a run that starts, goes on and is removed', async () => {
    const page = await openRuns();
    await page.getByText('8 runs').waitFor();
    const path = join(runs, 'young');
    writeFiles(path, trainingFiles());
    const row = page.getByRole('row', { name: /young/ });
    await row.getByText('4 of 8').waitFor();
    appendFileSync(join(path, 'metrics.jsonl'), '{"step":5,"loss":0.25}\n');
    await row.getByText('5 of 8').waitFor();
    rmSync(path, { recursive: true });
    await row.waitFor({ state: 'detached' });
    await expectSound(page);
  });

  test('a hidden page does not listen, and has everything when it is seen again', async () => {
    const path = join(runs, 'young');
    writeFiles(path, trainingFiles());
    const page = await openRuns();
    const row = page.getByRole('row', { name: /young/ });
    await row.waitFor();
    const show = (state: string) =>
      page.evaluate(`
        Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      `);
    await show('hidden');
    rmSync(path, { recursive: true });
    writeFiles(join(runs, 'younger'), trainingFiles());
    await show('visible');
    await page.getByRole('row', { name: /younger/ }).waitFor();
    expect(await row.filter({ hasNotText: 'younger' }).count()).toBe(0);
    rmSync(join(runs, 'younger'), { recursive: true });
    await expectSound(page);
  });

  test('in the dark, and on a narrow screen', async () => {
    const page = await openRuns('', {
      ...{ colorScheme: 'dark', viewport: { width: 360, height: 740 } },
    });
    await page.getByText('8 runs').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    const wide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
    expect(await page.evaluate(wide)).toBe(false);
    for (const path of [
      '/view/grpo',
      '/view/grpo?tab=samples',
      '/compare?run=grpo&run=grpo-other',
    ]) {
      await page.goto(`${opened.studio.url}/runs${path}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByText('Reward').first().waitFor();
      await expect.poll(() => page.evaluate(wide), { message: path }).toBe(false);
      expect(await violationsOf(page), path).toEqual([]);
    }
  });
});

describe('a run', () => {
  test('its alarms, facts and curves', async () => {
    const page = await openRuns('/view/grpo');
    await page.getByRole('heading', { name: 'grpo', level: 1 }).waitFor();
    const alarm = page.getByRole('listitem').filter({ hasText: 'reward-gamed' });
    expect(await alarm.textContent()).toContain('Evidencelength 0.71');
    expect(await page.getByText('60 of 80').first().isVisible()).toBe(true);
    await page
      .getByRole('img', { name: /^Reward\. training: 0 at step 1, 0\.9833 at step 60/ })
      .waitFor();
    await page.getByRole('img', { name: /^Reward went from 0 at a KL of 0/ }).waitFor();
    await page.getByText('Not finite: training: NaN at step 40').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await expectSound(page);
  });

  test('curves grow while the run goes on, and start again where it is resumed', async () => {
    const path = join(runs, 'live');
    const files = trainingFiles();
    writeFiles(path, files);
    const page = await openRuns('/view/live');
    await page.getByRole('img', { name: /^Loss\. .*0\.5 at step 4/ }).waitFor();
    appendFileSync(join(path, 'metrics.jsonl'), '{"step":5,"loss":0.25}\n');
    await page.getByRole('img', { name: /^Loss\. .*0\.25 at step 5/ }).waitFor();
    // A resumed run drops what came after its checkpoint.
    writeFileSync(
      join(path, 'metrics.jsonl'),
      `${(files['metrics.jsonl'] as string).split('\n').slice(0, 2).join('\n')}\n{"step":2,"loss":0.125}\n`,
    );
    await page.getByRole('img', { name: /^Loss\. .*0\.125 at step 2/ }).waitFor();
    await expectSound(page);
    await page.close();
    rmSync(path, { recursive: true });
  });

  test('events of TRL lead to their run when it has its first checkpoint', async () => {
    const path = join(runs, 'young-trl');
    const files = join(import.meta.dirname, '../watching/testing/trl/sft');
    const events = 'runs/Nov30_21-07-50_vm';
    cpSync(join(files, events), join(path, events), { recursive: true });
    const page = await openRuns(`/view/young-trl/${events}`);
    await page.getByRole('img', { name: /^Loss\. .* at step 8/ }).waitFor();
    cpSync(join(files, 'checkpoint-8'), join(path, 'checkpoint-8'), { recursive: true });
    await page.waitForURL(/\/view\/young-trl$/);
    await page.getByText('8 (best)').waitFor();
    await page.getByRole('img', { name: /^Loss\. .* at step 1, .* at step 8/ }).waitFor();
    await page.close();
    rmSync(path, { recursive: true });
  });

  test('a chart as a table, as CSV and as a picture', async () => {
    const page = await openRuns('/view/grpo');
    const menu = page.getByRole('button', { name: 'Files and values of Loss' });
    const saved = async (item: string): Promise<Buffer> => {
      await menu.click();
      const download = page.waitForEvent('download');
      await page.getByRole('menuitem', { name: item }).click();
      return readFileSync(await (await download).path());
    };
    const csv = (await saved('Save as CSV')).toString();
    expect(csv.split('\r\n')[0]).toBe('step,loss');
    expect(csv.split('\r\n')[30]).toBe('30,9');
    expect(csv.split('\r\n')[40]).toBe('40,NaN');
    const png = await saved('Save as PNG');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect(png.length).toBeGreaterThan(3000);
    await menu.click();
    await page.getByRole('menuitem', { name: 'Show the values' }).click();
    await page.getByRole('row', { name: '30 9' }).waitFor();
    expect(await violationsOf(page, '[role=dialog]')).toEqual([]);
    await expectSound(page);
  });

  test('smoothing, a logarithmic scale, zoom, and the cursor of all charts', async () => {
    const page = await openRuns('/view/grpo');
    const plot = page.getByRole('img', { name: /^Answer length\./ });
    await plot.scrollIntoViewIfNeeded();
    const before = await plot.screenshot();
    await page.getByText('strong').click();
    expect((await plot.screenshot()).equals(before)).toBe(false);
    await page.getByText('none', { exact: true }).click();
    await page.getByRole('switch', { name: 'Logarithmic' }).check();
    await page.getByText('Linear: some values are not above 0.').first().waitFor();
    await plot.scrollIntoViewIfNeeded();
    const box = (await plot.boundingBox())!;
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.3, y);
    // Both charts show the same step, though the cursor is in one of them.
    const reading = page.getByRole('region', { name: 'Loss', exact: true }).getByText(/^step \d+$/);
    await reading.waitFor();
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, y, { steps: 5 });
    await page.mouse.up();
    const all = page.getByRole('button', { name: /^Steps \d+ to \d+: show all$/ });
    await all.waitFor();
    await page.mouse.dblclick(box.x + box.width * 0.5, y);
    await all.waitFor({ state: 'detached' });
    await page.getByLabel('Find charts').fill('onerror');
    await page.getByRole('heading', { name: /onerror/ }).waitFor();
    await expectSound(page);
  });

  test('its answers, lineage, options and machine', async () => {
    const page = await openRuns('/view/grpo');
    await page.getByRole('tab', { name: 'Answers' }).click();
    await page.locator('mark', { hasText: 'Somebody' }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Lineage' }).click();
    await page.getByRole('cell', { name: 'rows.jsonl' }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Options' }).click();
    await page.getByRole('row', { name: 'learning_rate 0.1' }).waitFor();
    await page.getByLabel('Find options').fill('max');
    expect(await page.getByRole('row').count()).toBe(1);
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Machine' }).click();
    await page.getByText(join(runs, 'grpo'), { exact: true }).waitFor();
    // The address has the tab, so that it can be shared.
    expect(page.url()).toMatch(/tab=machine$/);
    await expectSound(page);
  });

  test('its report runs by itself, and cannot reach the Studio', async () => {
    const page = await openRuns('/view/grpo?tab=report');
    const frame = page.frameLocator('iframe');
    await frame.getByRole('heading', { name: 'The report' }).waitFor();
    expect(await frame.locator('body').getAttribute('data-ran')).toBe('yes');
    expect(await page.title()).not.toBe('taken');
    await expectSound(page);
    // The link of a recipe's report opens the report of its stage, signed in.
    await page.goto(`${opened.studio.url}/runs/view/recipe?tab=report`);
    const popup = page.waitForEvent('popup');
    await page.frameLocator('iframe').getByRole('link', { name: 'sft' }).click();
    await (await popup).getByRole('heading', { name: 'Of the stage' }).waitFor();
  });

  test('a recipe, an evaluation, TensorBoard events and a run that is not there', async () => {
    const page = await openRuns('/view/recipe');
    await page.getByText('2 of 2').first().waitFor();
    await page.getByRole('tab', { name: 'Results' }).click();
    await page.getByText('accuracy is 0.4, below 0.5').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.goto(`${opened.studio.url}/runs/view/evaluated`);
    await page.getByRole('cell', { name: '0.25 0.2 to 0.3, n = 20' }).waitFor();
    await page.getByText('measured 0.25; asked for is at least 0.5').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.goto(`${opened.studio.url}/runs/view/judged`);
    await page.getByRole('progressbar', { name: '40 of 40 verdicts' }).waitFor();
    await page.getByRole('listitem').filter({ hasText: 'cannot-tell' }).waitFor();
    const wins = page.getByRole('region', { name: /^Win rate of/ });
    await wins.getByRole('row', { name: /wins .*62% 50% to 73%/ }).waitFor();
    await page
      .getByRole('row', { name: /^Same winner in both orders 40% \(30% to 50%\)/ })
      .waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.goto(`${opened.studio.url}/runs/view/trl/runs/Nov30_host`);
    await page
      .getByRole('img', { name: /^Loss\. training: 1 at step 1, 0\.125 at step 8/ })
      .waitFor();
    await page.getByRole('tab', { name: 'Samples' }).click();
    await page.getByRole('heading', { name: 'No samples' }).waitFor();
    await expectSound(page);
    await page.goto(`${opened.studio.url}/runs/view/no/such%20run`);
    await page.getByRole('heading', { name: 'There is no such run' }).waitFor();
    await page.goto(`${opened.studio.url}/runs/view/..%2f..`);
    await page.getByText('is not the id of a run').waitFor();
  });
});

describe('samples', () => {
  test('thousands scroll, with only the rows in sight', async () => {
    const page = await openRuns('/view/grpo?tab=samples');
    await page.getByText(`${SAMPLES.toLocaleString('en')} samples`).waitFor();
    const grid = page.getByRole('grid', { name: 'Samples' });
    await grid.getByText('Answer 0 says the beginning.').waitFor();
    expect(await grid.getByRole('row').count()).toBeLessThan(60);
    expect(await violationsOf(page)).toEqual([]);
    await grid.focus();
    await page.keyboard.press('End');
    await grid.getByText(`Answer ${SAMPLES - 1} says`).waitFor();
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('Sample 2', { exact: true }).waitFor();
    await page.keyboard.press('j');
    await page.getByRole('dialog').getByText('Sample 3', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expectSound(page);
  });

  test('are filtered, sorted, and compared with the start', async () => {
    const page = await openRuns('/view/grpo?tab=samples');
    await page.getByLabel('Text').fill('something else');
    await page.getByText(`${(SAMPLES - 30).toLocaleString('en')} of 1,500 samples`).waitFor();
    await page.getByLabel('To step').fill('2');
    await page.getByText('30 of 1,500 samples').waitFor();
    await page.getByRole('combobox', { name: 'Sort' }).click();
    await page.getByRole('option', { name: 'Highest reward' }).click();
    const grid = page.getByRole('grid', { name: 'Samples' });
    await grid.getByRole('row').nth(1).getByText('Answer 59 says').waitFor();
    await grid.getByText('Answer 59 says').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('against the start').click();
    await dialog.locator('mark', { hasText: 'something' }).waitFor();
    await dialog.locator('mark', { hasText: 'beginning' }).waitFor();
    expect(await violationsOf(page, '[role=dialog]')).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByLabel('Reward from').fill('2');
    await page.getByText('No sample is like this').waitFor();
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('1,500 samples').waitFor();
    await expectSound(page);
  });

  test('the best and the worst of the last step, of any other, and of all', async () => {
    const page = await openRuns('/view/grpo?tab=samples');
    const part = page.getByRole('region', { name: 'Best and worst answers' });
    await part.getByRole('heading', { name: 'Best of step 50' }).waitFor();
    await part.getByText('all steps').click();
    await part.getByRole('heading', { name: 'Worst of all steps' }).waitFor();
    await part
      .getByText(/^0\.99.*step \d+, Question/)
      .first()
      .waitFor();
    await part.getByText('a step', { exact: true }).click();
    await part.getByLabel('Step', { exact: true }).fill('7');
    await part.getByRole('heading', { name: 'Best of step 7' }).waitFor();
    await part.getByRole('button', { name: 'Step before' }).click();
    await part.getByRole('heading', { name: 'Worst of step 6' }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await part.getByRole('button').filter({ hasText: 'Answer' }).first().click();
    await page.getByRole('dialog').getByText('step 6').waitFor();
    await expectSound(page);
  });

  test('of TRL have what TRL records', async () => {
    const path = join(runs, 'from-trl');
    cpSync(join(import.meta.dirname, '../watching/testing/trl/grpo'), path, { recursive: true });
    const page = await openRuns('/view/from-trl/runs/none');
    await page.getByRole('heading', { name: 'There is no such run' }).waitFor();
    opened.problems.length = 0;
    await page.goto(`${opened.studio.url}/runs/view/from-trl?tab=samples`);
    await page.getByText('12 samples').waitFor();
    await page.getByRole('grid').getByRole('row').nth(1).click();
    await page
      .getByRole('dialog')
      .getByText(/^varied /)
      .waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await expectSound(page);
    // An open page would ask for the run that is gone.
    await page.close();
    rmSync(path, { recursive: true });
  });

  test('texts that look like HTML are texts', async () => {
    const page = await openRuns('/view/grpo?tab=samples');
    await page.getByLabel('Text').fill('onerror');
    await page.getByText('1 of 1,500 samples').waitFor();
    await page.getByRole('grid').getByText('<img src=x').first().click();
    await page.getByRole('dialog').getByText('<script>').first().waitFor();
    await expectSound(page);
  });
});

describe('a comparison', () => {
  test('is in the address, and shows what differs', async () => {
    const page = await openRuns();
    await page.getByLabel('Select grpo', { exact: true }).check();
    await page.getByLabel('Select grpo-other').check();
    await page.getByRole('link', { name: 'Compare 2' }).click();
    await page.getByRole('row', { name: /learning_rate.*0\.1.*0\.2/ }).waitFor();
    expect(new URL(page.url()).search).toBe('?run=grpo&run=grpo-other');
    const reward = page.getByRole('img', {
      name: /^Reward: training\. grpo: 0 at step 1, 0\.9833 at step 60\. grpo-other: 0\.5 at step 1/,
    });
    await reward.waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.reload();
    await reward.waitFor();
    await page.getByRole('button', { name: 'Remove grpo-other' }).click();
    await page
      .getByRole('img', { name: /^Reward: training\. grpo: [^.]*\.\d+ at step 60$/ })
      .waitFor();
    expect(new URL(page.url()).search).toBe('?run=grpo');
    await expectSound(page);
  });

  test('without runs it says what to do', async () => {
    const page = await openRuns('/compare');
    await page.getByText('Choose runs to compare').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await expectSound(page);
  });
});

describe('stopping and resuming', () => {
  test('a run that trains is asked to stop, and can be resumed afterwards', async () => {
    const path = join(runs, 'training');
    writeFiles(path, trainingFiles());
    const trainer = await startTrainer(path);
    const page = await openRuns('/view/training');
    await page.getByText('running', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Stop the run' }).click();
    await trainer.asked;
    await page.getByRole('button', { name: 'Stopping …' }).waitFor();
    expect(await trainer.end()).toBe(130);
    await page.getByText('interrupted', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    await expectSound(page);
    await page.close();
    rmSync(path, { recursive: true });
  });

  test('ask first, and tell what came of it', async () => {
    const page = await openRuns('/view/grpo');
    await page.getByRole('button', { name: 'Resume' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('npx keel grpo --config a.yaml --resume').waitFor();
    expect(await violationsOf(page, '[role=dialog]')).toEqual([]);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(statSync(join(runs, 'grpo/studio.log'), { throwIfNoEntry: false })).toBeUndefined();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume the run' }).click();
    await page.getByText('The process that resumed it failed').waitFor();
    await page.getByText('resumed', { exact: false }).first().waitFor();
    await expectSound(page);
  });
});

test('a folder without runs says how to start one', async () => {
  const empty = join(folder, 'empty');
  await using other = await openTestStudio({ runs: empty });
  const page = await other.open('/runs');
  await page.getByText('does not exist yet').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  writeFiles(join(empty, 'first'), trainingFiles());
  await page.getByRole('link', { name: 'first' }).waitFor();
  expect(other.problems).toEqual([]);
});
