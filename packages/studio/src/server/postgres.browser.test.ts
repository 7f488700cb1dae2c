// The Studio on PostgreSQL: sign-in, invitations, verdicts and rounds are in the same tables there.
import { expect, test } from 'vitest';
import { addExample, EXAMPLE_PROJECT } from '../importing/example-project.ts';
import { startPostgres } from '../store/testing/postgres.ts';
import { openTestStudio } from '../testing/test-studio.ts';

test('a person annotates, and two Studios share one database', async () => {
  await using server = await startPostgres();
  const database = await server.newDatabase();
  await using one = await openTestStudio({ database });
  await using other = await openTestStudio({ database });
  await addExample(one.studio.store);
  const project = await one.studio.store.project(EXAMPLE_PROJECT);
  const pages = [
    await one.open(`/projects/${project}/annotate`),
    await other.open(`/projects/${project}/annotate`),
  ];
  for (const page of pages) await page.getByText('0 done, 7 left for you').waitFor();
  const [first] = pages;
  await first!.keyboard.press('1');
  await first!.keyboard.press('Enter');
  await first!.getByText('1 done, 6 left for you').waitFor();
  await pages[1]!.reload();
  await pages[1]!.getByText('1 done, 6 left for you').waitFor();
  await first!.goto(`${one.studio.url}/projects/${project}/agreement`);
  await first!.getByText('25 verdicts of 4 people').waitFor();
  await first!.goto(`${one.studio.url}/projects/${project}/train`);
  await first!.getByText('The first round').waitFor();
  await first!.goto(`${one.studio.url}/people`);
  await first!.getByRole('table', { name: 'People who can sign in' }).waitFor();
  expect([...one.problems, ...other.problems, ...one.logged, ...other.logged]).toEqual([]);
});
