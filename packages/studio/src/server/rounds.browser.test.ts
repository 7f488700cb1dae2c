// Rounds on the page of a project whose process is gone: they say so, and go on from there.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf } from '@keel/align/runs';
import { expect, test, vi } from 'vitest';
import { roundOptions } from '../rounds/round-options.ts';
import { Rounds } from '../rounds/rounds.ts';
import { violationsOf } from '../testing/accessibility.ts';
import { openTestStudio } from '../testing/test-studio.ts';
import { temporaryFolder, trainingFiles, writeFiles } from '../watching/testing/run-folders.ts';

/** Fails at once, as a command whose model is not there. */
const keel = [
  process.execPath,
  '--eval',
  'console.error("error: there is no such model"); process.exit(2)',
  '--',
];

test('a round that never began is started again, and one that was stopped is resumed', async () => {
  const runs = join(temporaryFolder(), 'runs');
  await using opened = await openTestStudio({ runs, keel });
  const { store } = opened.studio;
  const project = await store.openProject('My project');
  const inputs = Array.from({ length: 30 }, (_, at) => ({
    kind: 'pair' as const,
    ...{ prompt: `prompt ${at}`, shown: true },
    answers: [{ content: `one ${at}` }, { content: `two ${at}` }],
    annotations: [{ person: 'Ann', choice: 'left' as const }],
  }));
  await store.addTasks(project, inputs, { overlap: 1, random: () => 0.9 });
  // The round of a Studio that ended before this one started.
  const rounds = new Rounds({ store, runs, keel });
  const round = await rounds.start(project, 'My project', roundOptions.parse({}));
  await vi.waitUntil(() => !rounds.isProcessAlive(round), 60_000);

  const page = await opened.open(`/projects/${project}/train`);
  await page.getByText('not started').waitFor();
  await page.getByText('there is no such model').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.getByRole('button', { name: 'Start again: round 1' }).click();
  await vi.waitUntil(() => rounds.log(round).match(/no such model/g)?.length === 2, 60_000);

  // It began, and its process was killed.
  const { version, ...record } = trainingFiles()['run.json'] as Record<string, unknown>;
  const command = { verb: 'align', folder: runs, resume: ['align', 'recipe.yaml'] };
  writeFiles(join(runs, round.run), {
    'run.json': { version, ...record, ...command, ended: null },
    'stages.json': { version: 1, stages: {} },
    'recipe.yaml': 'stages:\n  reward: {}\n',
  });
  await page.getByText('stopped', { exact: true }).waitFor();
  await page.getByText('Its process ended before the round did.').waitFor();
  expect(await violationsOf(page)).toEqual([]);
  // Who asks the server itself is refused: this round is resumed, and none runs beside another.
  const startAgain = () =>
    page.request.post(`${opened.studio.url}/api/projects/${project}/rounds/1/start`);
  const refused = await startAgain();
  expect([refused.status(), await refused.json()]).toMatchObject([
    409,
    { error: { message: expect.stringMatching(/^Round 1 has a run already/) } },
  ]);
  const second = await rounds.start(project, 'My project', roundOptions.parse({}));
  await vi.waitUntil(() => !rounds.isProcessAlive(second), 60_000);
  const alive = `${second.run}.process.json`;
  writeFiles(runs, { [alive]: identityOf(process.pid) });
  const beside = await startAgain();
  expect(await beside.json()).toMatchObject({
    error: { message: 'Round 2 is still running. Wait for it, or stop its run' },
  });
  rmSync(join(runs, alive));
  const { actions } = await store.actions({ action: 'round started' });
  expect(actions.filter(({ person }) => person === 'Owner')).toMatchObject([
    { project: 'My project', details: { number: 1, again: true } },
  ]);
  await page.getByRole('button', { name: 'Resume: round 1' }).click();
  const output = join(runs, round.run, 'studio.log');
  await vi.waitUntil(() => existsSync(output), 60_000);
  expect(opened.problems).toEqual([]);
});
