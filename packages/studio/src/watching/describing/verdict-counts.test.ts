// A judge that works, seen from its files as it writes them.
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Judge } from '@keel/align/judges';
import { type JudgingHooks, runComparison } from '@keel/evaluate';
import { expect, test } from 'vitest';
import { RunWatcher } from '../run-watcher.ts';
import { lines, temporaryFolder, writeFiles } from '../testing/run-folders.ts';

const judge: Judge = {
  ...{ name: 'first', identity: 'first', seesOrder: true, concurrency: 1 },
  compare: async () => ({
    ...{ first: 1, tie: 0, exchanges: [{ asked: '"key":"x"}\n', said: '"key":"y"}' }] },
    usage: { promptTokens: 1, answerTokens: 1, cost: 0 },
  }),
  async [Symbol.asyncDispose]() {},
};

/** Judges the first pairs of a root into its folder `judged`. */
function judged(root: string, limit: number, hooks: JudgingHooks) {
  const files = ['a', 'b'].map((name) => {
    const path = join(root, `${name}.jsonl`);
    const rows = Array.from({ length: 5 }, (_, at) => ({ prompt: `p${at}`, completion: name }));
    writeFileSync(path, lines(rows));
    return path;
  }) as [string, string];
  return runComparison(
    {
      ...{ output: join(root, 'judged'), overwrite: false, limit, retryFailed: false },
      ...{ reading: {}, dryRun: false, openJudge: async () => judge, names: null },
      ...{ emptyLoses: true, unpaired: 'fail', check: null, source: { kind: 'answers', files } },
    },
    hooks,
  );
}

test('a judge that works says how many verdicts it has, also when it is resumed or extended', async () => {
  const root = temporaryFolder();
  const watcher = new RunWatcher(root);
  const seen: unknown[] = [];
  const look = (): void => {
    const [run] = watcher.list().runs;
    if (run !== undefined) seen.push([run.state, run.step, run.total]);
  };
  const stop = new AbortController();
  await judged(root, 3, {
    signal: stop.signal,
    onProgress({ done }) {
      look();
      if (done === 2) stop.abort();
    },
  });
  look();
  await judged(root, 3, {});
  look();
  await judged(root, 5, { onProgress: look });
  look();
  expect(seen).toEqual([
    ['running', 0, 3],
    ['running', 1, 3],
    ['running', 2, 3],
    ['interrupted', 2, 3],
    ['finished', 3, 3],
    ['running', 3, 5],
    ['running', 4, 5],
    ['running', 5, 5],
    ['finished', 5, 5],
  ]);
});

test('verdicts that were asked for again count once, and lines that are cut off do not count', () => {
  const root = temporaryFolder();
  const folder = join(root, 'judged');
  const line = (key: string): string => `{"row":0,"key":"${key}"}\n`;
  writeFiles(folder, {
    'judging.json': { mode: 'rating', judge: 'j', identity: 'i', rows: 4 },
    'ratings.jsonl.partial': `${line('a')}{"row":1,"key":"b"\n${line('a')}${line('c')}{"row":2`,
    'verdicts.jsonl': line('z'),
  });
  const watcher = new RunWatcher(root);
  const stepOf = () => watcher.list().runs[0]!.step;
  expect(stepOf()).toBe(2);
  appendFileSync(join(folder, 'ratings.jsonl.partial'), `,"key":"d"}\n${line('e').repeat(2)}`);
  expect(stepOf()).toBe(4);
  writeFiles(folder, { 'ratings.jsonl.partial': line('a') });
  expect(stepOf()).toBe(1);
  // Of an older version of Keel, nothing says how many there will be.
  writeFiles(folder, { 'judging.json': { mode: 'rating', judge: 'j', identity: 'i' } });
  expect(watcher.list().runs[0]).toMatchObject({ step: null, total: null });
});
