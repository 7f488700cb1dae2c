// The key, invitations and passwords in Chromium.
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

test('the link of the terminal signs the owner in, and the address does not keep the key', async () => {
  const page = await opened.open('/projects');
  await page.getByRole('heading', { name: 'Projects' }).waitFor();
  expect(page.url()).toBe(`${opened.studio.url}/projects`);
  expect(await violationsOf(page)).toEqual([]);
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
});
