// Rounds with the state of their runs, from files as a round writes them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownIdentity } from '@keel/align/runs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { PreferenceStore } from '../store/preference-store.ts';
import { writeFiles } from '../watching/testing/run-folders.ts';
import { WatchedFolder } from '../watching/watched-folder.ts';
import { roundOptions } from './round-options.ts';
import { Rounds } from './rounds.ts';
import { WatchedRounds } from './watched-rounds.ts';

let folder: string;
let store: PreferenceStore;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keel-watched-rounds-'));
  store = await PreferenceStore.open(join(folder, 'store.sqlite'));
});
afterAll(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const NAME = 'My project';

test('a round is started, found in each state, stopped and resumed', async () => {
  const project = await store.openProject(NAME);
  const inputs = Array.from({ length: 30 }, (_, at) => ({
    ...{ kind: 'pair' as const, prompt: `prompt ${at}`, shown: true },
    answers: [{ content: 'one' }, { content: 'two' }],
    annotations: [{ person: 'Ann', choice: 'left' as const }],
  }));
  await store.addTasks(project, inputs, { overlap: 1, random: () => 0.9 });
  const runs = join(folder, 'runs');
  // A command that ends at once.
  const keel = [process.execPath, '--eval', 'console.error("no such model")'];
  const plain = new Rounds({ store, runs, keel });
  const rounds = new WatchedRounds(plain, new WatchedFolder(runs, { keel }));
  const only = async () => (await rounds.list(project))[0]!;
  expect(await rounds.list(project)).toEqual([]);
  await expect(rounds.stop(project, 1)).rejects.toThrow(/no round 1. Rounds of this project: none/);

  const round = await rounds.start(project, NAME, roundOptions.parse({ method: 'none' }), 'Eve');
  await vi.waitUntil(() => !plain.isProcessAlive(round), 60_000);
  expect(await only()).toMatchObject({ number: 1, state: 'not started', step: null, total: null });
  expect((await only()).log).toMatch(/no such model$/);
  await expect(rounds.stop(project, 1)).rejects.toThrow('Round 1 is not running');
  await rounds.resume(project, NAME, 1, 'Eve');
  await vi.waitUntil(() => plain.log(round).match(/no such model/g)?.length === 2, 60_000);

  const living = `${round.run}.process.json`;
  writeFiles(runs, { [living]: ownIdentity() });
  expect(await only()).toMatchObject({ state: 'starting', log: '' });
  await expect(rounds.stop(project, 1)).rejects.toThrow(/just starting/);
  const options = roundOptions.parse({});
  const another = () => rounds.start(project, NAME, options, null);
  await expect(another()).rejects.toMatchObject({ code: 'running' });

  // Its run, of this process, which cannot be stopped from itself.
  const record = (ended: object | null) => ({
    ...{ version: 1, verb: 'align', folder: runs, resume: ['align', 'recipe.yaml'], ended },
    ...{ started: '2026-01-02T03:04:05.000Z', started_step: 0, total_steps: 1 },
  });
  const run = join(runs, round.run);
  writeFiles(run, {
    '.lock': ownIdentity(),
    'run.json': record(null),
    'stages.json': { version: 1, stages: {} },
    'recipe.yaml': 'stages:\n  reward: {}\n  ask: {}\n',
  });
  expect(await only()).toMatchObject({ state: 'running', step: 0, total: 2 });
  await expect(another()).rejects.toThrow(/Round 1 is still running/);
  await expect(rounds.resume(project, NAME, 1, null)).rejects.toMatchObject({ code: 'running' });
  await expect(rounds.stop(project, 1)).rejects.toThrow(/the program that shows this page/);

  rmSync(join(run, '.lock'));
  rmSync(join(runs, living));
  const time = '2026-01-02T03:05:00.000Z';
  writeFiles(run, { 'run.json': record({ how: 'failed', time, message: 'no space' }) });
  expect(await only()).toMatchObject({ state: 'failed', message: 'no space' });
  await expect(rounds.startAgain(project, NAME, 1, null)).rejects.toMatchObject({
    code: 'has-run',
  });
  await rounds.resume(project, NAME, 1, null);
  await vi.waitUntil(
    () => new WatchedFolder(runs).demand().output(round.run).includes('no such model'),
    60_000,
  );
  const { actions } = await store.actions({ action: 'round started' });
  expect(actions.map(({ person }) => person)).toEqual(['Eve', 'Eve']);
});
