// What commands write is what the pages read: each file comes from the code that writes it.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunWatcher } from '../run-watcher.ts';
import { temporaryFolder, writeFiles } from '../testing/run-folders.ts';
import { writeAttacks, writeAudit, writeLab, writeRatings } from '../testing/written-results.ts';

async function found(root: string) {
  const { results, faults, state, gates } = await new RunWatcher(root).run('found');
  return { results, faults, state, gates };
}

test('ratings of battles', async () => {
  const root = temporaryFolder();
  await writeRatings(root, 'found');
  const shown = await found(root);
  expect(shown).toMatchObject({ faults: [], state: 'finished', results: { kind: 'ratings' } });
  expect(shown.results!.found).toMatchObject({
    ...{ battles: 40, ratings: [{ model: 'x', battles: 40 }, { model: 'y' }] },
    pairs: [{ a: 'x', b: 'y', battles: 40, wins_a: 26, wins_b: 14 }],
    categories: [{ battles: 20 }, { battles: 20 }],
  });
});

test('an audit of answers, with what goes with the rise of the reward', async () => {
  const root = temporaryFolder();
  const audited = await writeAudit(root, 'found');
  const shown = await found(root);
  expect(shown).toMatchObject({ faults: [], state: 'finished', results: { kind: 'audit' } });
  const { verdict } = audited.audit;
  expect(shown.results!.found).toMatchObject({
    verdict: { code: verdict.code, alarm: verdict.alarm },
    ...{ prompts: 40, answers: { before: 40, after: 40 } },
    reward: { difference: audited.audit.reward!.difference },
  });
});

test('attacks on a reward', async () => {
  const root = temporaryFolder();
  await writeAttacks(root, 'found');
  const shown = await found(root);
  expect(shown).toMatchObject({ faults: [], results: { kind: 'attacks', found: { won: true } } });
});

test('a lab in which all answers are known, whose last beta is no number', async () => {
  const root = temporaryFolder();
  const { analysis } = writeLab(root, 'found');
  const shown = await found(root);
  expect(shown).toMatchObject({ faults: [], state: 'finished', results: { kind: 'lab' } });
  const { curves } = shown.results!.found as { curves: { points: { gold: object }[] }[] };
  expect(curves.map(({ points }) => points.map(({ gold }) => gold))).toEqual(
    analysis.curves.map(({ points }) => points.map(({ gold }) => gold)),
  );
});

test('gates say what was asked for, what was measured, and what decides', async () => {
  const root = temporaryFolder();
  const gate = { metric: 'arc/acc', confidence: 0.95, entry: 'base', short_by: 0.1 };
  writeFiles(join(root, 'found'), {
    'report.html': '',
    'summary.json': {
      ...{ suites: ['core'], task_files: [], limit: null, seconds: 1, baseline: null },
      ...{ entries: [], passed: false },
      gates: [
        { ...gate, at_least: 0.6, passed: false, measured: 0.55, bound: 0.5 },
        { ...gate, at_most: 0.6, passed: true, measured: 0.5, bound: 0.5 },
        { ...gate, better_by: 0, passed: false, measured: null, bound: null },
      ],
    },
  });
  const { gates, results } = await found(root);
  expect(results?.kind).toBe('evaluation');
  expect(gates.map(({ name, passed, reasons }) => [name, passed, ...reasons])).toEqual([
    [
      ...['base, arc/acc', false],
      'measured 0.55, of which the worse end of the interval, 0.5, decides; asked for is at least 0.6',
    ],
    ['base, arc/acc', true, 'measured 0.5; asked for is at most 0.6'],
    [
      ...['base, arc/acc', false],
      'no row has this number; asked for is better than the first entry by at least 0',
    ],
  ]);
});

test('a file of another version, and one that is damaged, are reported', async () => {
  const root = temporaryFolder();
  writeFiles(join(root, 'found'), { 'ratings.json': { version: 2 } });
  const other = await found(root);
  expect(other.results).toBeNull();
  expect(other.faults).toEqual([
    expect.stringMatching(/^ratings\.json: another version of Keel wrote it at version/),
  ]);
  writeFiles(join(root, 'found'), { 'ratings.json': '{"version":' });
  expect((await found(root)).faults).toEqual(['ratings.json: is not JSON, or too large']);
});
