// What commands write is what the pages read: each file comes from the code that writes it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attackReward, runAudit, writeAttackFiles, writeAuditFiles } from '@keel/evaluate/auditing';
import { writeWorldResults } from '@keel/evaluate/over-optimisation';
import { rateBattles, readBattles, writeRatingFiles } from '@keel/evaluate/rating';
import { expect, test } from 'vitest';
import { RunWatcher } from '../run-watcher.ts';
import { lines, temporaryFolder, writeFiles } from '../testing/run-folders.ts';

const command = 'npx keel';

async function found(root: string) {
  const { results, faults, state, gates } = await new RunWatcher(root).run('found');
  return { results, faults, state, gates };
}

test('ratings of battles', async () => {
  const root = temporaryFolder();
  const path = join(root, 'battles.jsonl');
  const battle = (at: number, winner: string) => ({
    ...{ prompt: `p ${at}`, model_a: 'x', model_b: 'y', winner, kind: at % 2 ? 'odd' : 'even' },
  });
  const rows = Array.from({ length: 40 }, (_, at) => battle(at, at % 3 ? 'model_a' : 'model_b'));
  writeFileSync(path, lines(rows));
  const read = await readBattles({
    ...{ files: [path], columns: null, onBadRow: 'fail', only: [], exclude: [], by: 'kind' },
    ...{ cluster: 'prompt', styleControl: false },
  });
  const options = {
    ...{ anchor: null, intervals: 'sandwich' as const, resamples: 100, seed: 1 },
    ...{ balancePairs: null, prior: null, elo: 4, next: 1 },
  };
  const results = rateBattles(read, options);
  writeRatingFiles(join(root, 'found'), { read, options, results }, command);
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
  const row = (at: number, words: number) => ({
    prompt: `Question ${at}?`,
    completion: 'word '.repeat(words + (at % 5)),
    ...{ reward: words + (at % 5), gold: (at * 7) % 5 },
  });
  for (const [name, words] of [['before', 5] as const, ['after', 20] as const]) {
    const rows = Array.from({ length: 40 }, (_, at) => row(at, words + (words > 5 ? at % 7 : 0)));
    writeFileSync(join(root, `${name}.jsonl`), lines(rows));
  }
  const [before, after] = ['before', 'after'].map((name) => join(root, `${name}.jsonl`));
  const audited = await runAudit({
    source: { kind: 'files', before: before!, after: after! },
    ...{ reward: null, gold: null, reading: {}, unpaired: 'fail' },
    openReward: () => Promise.reject(new Error('no reward is opened')),
  });
  writeAuditFiles(join(root, 'found'), audited, command);
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
  const rows = Array.from({ length: 12 }, (_, at) => ({
    ...{ place: `rows:${at}`, prompt: `What is ${at}?`, answer: `It is ${at}.`, extra: {} },
  }));
  const reward = {
    name: 'length',
    score: async (inputs: readonly { completion: unknown }[]) =>
      inputs.map(({ completion }) => ({ score: String(completion).length })),
  };
  const attacked = await attackReward(reward, rows);
  writeAttackFiles(join(root, 'found'), attacked, command);
  const shown = await found(root);
  expect(shown).toMatchObject({ faults: [], results: { kind: 'attacks', found: { won: true } } });
});

test('a lab in which all answers are known, whose last beta is no number', async () => {
  const root = temporaryFolder();
  const world = [
    { probabilities: [0.5, 0.3, 0.2], gold: [0, 1, -2], proxies: { flattery: [0, 1, 3] } },
    { probabilities: [0.25, 0.25, 0.5], gold: [1, 0, 2], proxies: { flattery: [2, 0.5, 0.5] } },
  ];
  const path = join(root, 'world.yaml');
  writeFileSync(path, JSON.stringify({ world, best_of_n: [4, 1, 2], betas: [0.5, 2] }));
  const { analysis } = writeWorldResults(path, join(root, 'found'));
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
