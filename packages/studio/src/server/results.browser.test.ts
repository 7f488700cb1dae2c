// Pages of results, as the commands write them: on a wide screen, and on a narrow one in the dark.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violationsOf } from '../testing/accessibility.ts';
import { openTestStudio, type TestStudio } from '../testing/test-studio.ts';
import {
  writeAttacks,
  writeAudit,
  writeLab,
  writeRatings,
} from '../watching/testing/written-results.ts';

let opened: TestStudio;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keel-results-'));
  const runs = join(folder, 'runs');
  mkdirSync(runs);
  await writeRatings(runs, 'rated');
  await writeAudit(runs, 'audited');
  await writeAttacks(runs, 'attacked');
  writeLab(runs, 'lab');
  // A model whose name turns what comes after it around.
  cpSync(join(runs, 'rated'), join(runs, 'hidden'), { recursive: true });
  const ratings = join(runs, 'hidden/ratings.json');
  writeFileSync(ratings, readFileSync(ratings, 'utf8').replaceAll('"x"', '"x\u202e"'));
  opened = await openTestStudio({ runs });
});
afterAll(async () => {
  await opened?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const narrow = { colorScheme: 'dark', viewport: { width: 360, height: 740 } } as const;

test.each<[string, string, RegExp]>([
  ['rated', 'row', /^x 1,\d+ .* 40/],
  ['audited', 'row', /^length changed/],
  ['attacked', 'row', /^repeated the answer three times 100%/],
  ['lab', 'img', /^Best of n: proxy and gold against KL\. flattery: gold/],
])('%s', async (id, role, name) => {
  for (const options of [{}, narrow]) {
    const page = await opened.open(`/runs/view/${id}`, options);
    await page
      .getByRole(role as 'row', { name })
      .first()
      .waitFor();
    expect(await violationsOf(page), JSON.stringify(options)).toEqual([]);
    const wide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
    expect(await page.evaluate(wide)).toBe(false);
    await page.close();
  }
  expect(opened.problems).toEqual([]);
});

test('invisible characters of names are marked', async () => {
  const page = await opened.open('/runs/view/hidden');
  await page
    .getByRole('row', { name: /^x\s?U\+202E\s1,\d+/ })
    .first()
    .waitFor();
  const wins = page.getByRole('region', { name: 'Wins', exact: true });
  expect(await wins.getByText('U+202E').count()).toBe(2);
  expect(await page.getByRole('main').textContent()).not.toContain('\u202e');
  expect(opened.problems).toEqual([]);
});
