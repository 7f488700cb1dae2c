// The key, invitations and passwords in Chromium.
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestStudio, type TestStudio } from '../testing/test-studio.ts';

let opened: TestStudio;
beforeAll(async () => {
  opened = await openTestStudio();
});
afterAll(async () => {
  await opened?.[Symbol.asyncDispose]();
});

/** What axe finds, by rule. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(),
  );
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

test('the link of the terminal signs the owner in, and the address does not keep the key', async () => {
  const page = await opened.open('/projects');
  await page.getByRole('heading', { name: 'Projects' }).waitFor();
  expect(page.url()).toBe(`${opened.studio.url}/projects`);
  expect(await violations(page)).toEqual([]);
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
});
