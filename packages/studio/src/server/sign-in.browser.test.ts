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

test('an address with a query survives signing in, and leads nowhere else', async () => {
  const { studio } = opened;
  const project = await studio.store.openProject('Deep');
  const place = `/projects/${project}/disagreements?from=mail&to=//evil.test#end`;
  // The owner, by the link of the terminal.
  const owner = await opened.open(place);
  await owner.getByRole('tab', { name: 'Disagreements', selected: true }).waitFor();
  expect(owner.url()).toBe(`${studio.url}${place}`);
  // Others, by their password.
  const response = await owner.request.post(`${studio.url}/api/people/invitations`, {
    data: { role: 'admin', projects: [] },
  });
  const { link } = (await response.json()) as { link: string };
  const code = link.split('/').at(-1)!;
  const given = { name: 'Deep', password: 'a long password' };
  const profile = await opened.profile();
  await profile.request.post(`${studio.url}/api/session/invitations/${code}`, { data: given });
  await profile.clearCookies();
  const page = await opened.pageOf(profile, place);
  await page.getByLabel('Name').fill(given.name);
  await page.getByRole('textbox', { name: 'Password' }).fill(given.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('tab', { name: 'Disagreements', selected: true }).waitFor();
  expect(page.url()).toBe(`${studio.url}${place}`);
});

test('the first page loads less than 300 KB of JavaScript', async () => {
  const profile = await opened.profile();
  const page = await profile.newPage();
  const scripts: Promise<number>[] = [];
  page.on('requestfinished', (request) => {
    if (request.resourceType() !== 'script') return;
    scripts.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
  });
  await page.goto(`${opened.studio.link}&to=/projects`);
  await page.getByRole('heading', { name: 'Projects' }).waitFor();
  await page.waitForLoadState('networkidle');
  const bytes = (await Promise.all(scripts)).reduce((sum, size) => sum + size, 0);
  expect(bytes).toBeGreaterThan(50_000);
  expect(bytes).toBeLessThan(300_000);
});

test('people come by invitation, and sign in with their password', async () => {
  const admin = await opened.open('/people');
  await admin.getByRole('button', { name: 'Invite' }).click();
  await admin.getByRole('dialog').getByLabel('Name').fill('Zoë');
  await admin.getByRole('button', { name: 'Make a link' }).click();
  const link = (await admin.locator('pre').textContent())!;
  expect(await violationsOf(admin)).toEqual([]);
  await admin.keyboard.press('Escape');
  await admin.getByRole('table', { name: 'Open invitations' }).getByText('Zoë').waitFor();
  expect(await violationsOf(admin)).toEqual([]);

  const profile = await opened.profile();
  const page = await opened.pageOf(profile, link.slice(opened.studio.url.length));
  await page.getByRole('textbox', { name: 'Password' }).fill('a long password');
  expect(await violationsOf(page)).toEqual([]);
  await page.getByRole('button', { name: 'Join' }).click();
  await page.getByText('An admin has not given you a project yet').waitFor();
  await page.getByRole('button', { name: 'Zoë' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.getByLabel('Name').fill('Zoë');
  await page.getByRole('textbox', { name: 'Password' }).fill('a wrong password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('The name or the password is wrong').waitFor();
  await page.getByRole('textbox', { name: 'Password' }).fill('a long password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Zoë' }).waitFor();
  await admin.reload();
  await admin.getByRole('table', { name: 'People who can sign in' }).getByText('Zoë').waitFor();
});
