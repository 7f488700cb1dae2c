import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder, trainingFiles, writeFiles } from '../testing/run-folders.ts';
import { RunFinder } from './find-runs.ts';
import { RunRoot } from './run-root.ts';

const found = (finder: RunFinder): Record<string, string> =>
  Object.fromEntries(finder.find().runs.map(({ id, kind }) => [id, kind]));

test('every kind of run is recognised', () => {
  const folder = temporaryFolder();
  writeFiles(join(folder, 'dpo'), trainingFiles());
  writeFiles(join(folder, 'recipe'), { 'stages.json': { version: 1, stages: {} } });
  writeFiles(join(folder, 'recipe/sft'), trainingFiles());
  writeFiles(folder, {
    'compare/stages.json': {},
    'compare/compare.yaml': '',
    'lab/stages/stages.json': {},
    'lab/results.json': {},
    'evaluated/summary.json': {},
    'evaluated/report.html': '',
    'judged/judging.json': {},
    'judged/summary.json': {},
    'audited/audit.json': {},
    'attacked/attacks.json': {},
    'rated/ratings.json': {},
    'trl/runs/Nov30_host/events.out.tfevents.1.host': '',
    'trl/runs/Nov30_host/1796058622.5/events.out.tfevents.1.host': '',
    'notes/readme.md': '',
    'yaml/config.yaml': '',
  });
  expect(found(new RunFinder(new RunRoot(folder)))).toEqual({
    ...{ attacked: 'attacks', audited: 'audit', compare: 'comparison', dpo: 'training' },
    ...{ evaluated: 'evaluation', judged: 'judging', lab: 'lab', 'lab/stages': 'recipe' },
    ...{ rated: 'rating', recipe: 'recipe', 'recipe/sft': 'training' },
    'trl/runs/Nov30_host': 'tensorboard',
  });
});

test('folders without runs of their own are not entered, and links are not followed', () => {
  const folder = temporaryFolder();
  const outside = temporaryFolder();
  writeFiles(outside, trainingFiles());
  for (const name of ['node_modules/a', '.git/a', 'a/checkpoints/b', 'a/final', 'a/merged/b']) {
    writeFiles(join(folder, name), trainingFiles());
  }
  symlinkSync(outside, join(folder, 'link'));
  symlinkSync(folder, join(folder, 'loop'));
  expect(found(new RunFinder(new RunRoot(folder)))).toEqual({});
});

test('the root itself can be a run', () => {
  const folder = writeFiles(temporaryFolder(), trainingFiles());
  expect(found(new RunFinder(new RunRoot(folder)))).toEqual({ '.': 'training' });
});

test('runs that come and go are noticed', () => {
  const folder = temporaryFolder();
  const finder = new RunFinder(new RunRoot(folder));
  expect(found(finder)).toEqual({});
  writeFiles(join(folder, 'group/a'), trainingFiles());
  expect(found(finder)).toEqual({ 'group/a': 'training' });
  writeFiles(join(folder, 'group/b'), trainingFiles());
  expect(Object.keys(found(finder))).toEqual(['group/a', 'group/b']);
  rmSync(join(folder, 'group/a'), { recursive: true });
  expect(Object.keys(found(finder))).toEqual(['group/b']);
});

test('folders are searched to a bounded depth', () => {
  const folder = temporaryFolder();
  const deep = Array.from({ length: 12 }, (_, at) => `level${at}`);
  mkdirSync(join(folder, ...deep), { recursive: true });
  writeFiles(join(folder, ...deep), trainingFiles());
  writeFiles(join(folder, ...deep.slice(0, 8)), trainingFiles());
  expect(Object.keys(found(new RunFinder(new RunRoot(folder))))).toEqual([
    deep.slice(0, 8).join('/'),
  ]);
});
