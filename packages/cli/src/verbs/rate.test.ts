import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { jsonLines, keel, TemporaryFolder } from '../testing/command-line.ts';

const battle = (model_a: string, model_b: string, winner: string, more = {}) => ({
  ...{ model_a, model_b, winner },
  ...more,
});

function battles(folder: TemporaryFolder, rows: readonly object[]): string {
  const path = folder.file('battles.jsonl');
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

const games = ['a', 'b', 'c'].flatMap((one, at, all) => {
  const other = all[(at + 1) % 3]!;
  return [
    battle(one, other, 'model_a', { category: 'hard', prompt: 'p' }),
    battle(one, other, 'model_b', { category: 'easy', prompt: 'q' }),
    battle(one, other, 'tie', { category: 'easy', prompt: 'r' }),
  ];
});

test('a table, a matrix, categories and the next battles', async () => {
  using folder = new TemporaryFolder();
  const data = battles(folder, games);
  const output = folder.file('out');
  const run = await keel([
    ...['rate', data, '--matrix', '--by', 'category', '--next', '3', '--elo', '--anchor', 'a=1200'],
    ...['--output', output],
  ]);
  expect(run.code, run.stderr).toBe(0);
  expect(run.stdout).toContain('arena');
  expect(run.stdout).toMatch(/a +1200\.0 +\d/);
  expect(run.stdout).toMatch(/50%\/3/);
  expect(run.stdout).toMatch(/By category.*easy/s);
  for (const name of ['ratings.json', 'ratings.csv', 'report.html'])
    expect(run.stdout).toContain(folder.file(`out/${name}`));
  const again = await keel(['rate', data, '--output', output]);
  expect(again.code).toBe(2);
  expect(again.stderr).toMatch(/ratings\.json.*--overwrite/s);
});

test('--json prints the numbers of ratings.json and nothing else', async () => {
  using folder = new TemporaryFolder();
  const data = battles(folder, games);
  const run = await keel([
    ...['rate', data, '--json', '--intervals', 'bootstrap', '--resamples', '60', '--prior', '100'],
    ...['--output', folder.file('out')],
  ]);
  expect(run.code, run.stderr).toBe(0);
  const [{ files, ...printed } = {}] = jsonLines(run.stdout);
  expect(printed).toEqual(JSON.parse(readFileSync(folder.file('out/ratings.json'), 'utf8')));
  expect(printed).toMatchObject({ battles: 9, ties: 3, clusters: 3, options: { prior: 100 } });
  expect(files).toMatchObject({ report: folder.file('out/report.html') });
});

test('what cannot be rated: where, and what to do', async () => {
  using folder = new TemporaryFolder();
  const data = battles(folder, [...games, battle('a', 'never', 'model_a')]);
  const lost = await keel(['rate', data, '--output', folder.file('out')]);
  expect(lost.code).toBe(1);
  expect(lost.stderr).toMatch(/never lost.*--exclude.*--prior/s);
  expect(existsSync(folder.file('out'))).toBe(false);
  expect((await keel(['rate', data, '--exclude', 'never'])).code).toBe(0);

  const bad = battles(folder, [...games, battle('a', 'b', 'left')]);
  const refused = await keel(['rate', bad]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/battles\.jsonl:10: .*"winner".*"left".*--on-bad-row/s);
  const anchored = await keel(['rate', bad, '--on-bad-row', 'skip', '--anchor', 'absent']);
  expect(anchored.code).toBe(1);
  expect(anchored.stderr).toMatch(/--anchor absent.*a, b, c/);
  const usage = await keel(['rate', bad, '--anchor', 'a', '--exclude', 'a', '--only', 'x']);
  expect(usage.code).toBe(2);
  expect(usage.stderr).toMatch(/--only.*column=value/s);
});
