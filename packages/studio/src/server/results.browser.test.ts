// Pages of results, as the commands write them: on a wide screen, and on a narrow one in the dark.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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
