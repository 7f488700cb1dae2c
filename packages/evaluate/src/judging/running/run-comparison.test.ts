import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Judge } from '@keel/align/judges';
import { describe, expect, it } from 'vitest';
import { checkFile, comparisonFile, scoresFile } from '../../result-files/judging-file.ts';
import { summaryLines } from '../summary/summary-lines.ts';
import { TestFolder } from '../testing/folders.ts';
import { functionJudge } from '../testing/function-judge.ts';
import type { JudgingOptions } from './judging-options.ts';
import { recompute } from './recompute.ts';
import { runCheck } from './run-check.ts';
import { type ComparisonOptions, runComparison } from './run-comparison.ts';
import { runRating } from './run-rating.ts';

const textOf = (answer: unknown): string => (answer as { content: string }[])[0]!.content;

const longerWins = (options = {}) =>
  functionJudge(
    ({ answers: [first, second] }) => ({
      first: Number(textOf(first).length > textOf(second).length),
      said: '<script>alert(1)</script>',
    }),
    options,
  );

const chat = (prompt: string, completion: string) => ({
  prompt: [{ role: 'user', content: prompt }],
  completion: [{ role: 'assistant', content: completion }],
});

const common = (judge: Judge, output: string): JudgingOptions => ({
  ...{ output, overwrite: false, limit: null, retryFailed: false, emptyLoses: true },
  ...{ reading: {}, dryRun: false },
  openJudge: async () => judge,
});

function comparison(folder: TestFolder, judge: Judge): ComparisonOptions {
  const prompts = Array.from({ length: 12 }, (_, row) => `question ${row} <b>"&'</b>`);
  const a = folder.rows(
    'base.jsonl',
    prompts.map((prompt) => ({ ...chat(prompt, 'x'.repeat(10)), kind: 'any' })),
  );
  const b = folder.rows(
    'tuned.jsonl',
    prompts.map((prompt, row) => ({
      ...chat(prompt, '<img src=x onerror=alert(1)>'.repeat(row % 3)),
      kind: 'any',
    })),
  );
  return {
    ...common(judge, folder.file('out')),
    source: { kind: 'answers', files: [a, b] },
    ...{ names: null, unpaired: 'fail', check: null },
  };
}

const rowsOf = (path: string): Record<string, unknown>[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('runComparison', () => {
  it('writes verdicts, annotations, summary and a report without a way out', async () => {
    using folder = new TestFolder();
    const options = comparison(folder, longerWins());
    const { summary, interrupted } = await runComparison(options);
    expect(interrupted).toBe(false);
    expect(summary).toMatchObject({ pairs: 12, wins: 8, losses: 4, modelA: 'base' });
    const { output } = options;
    const rows = rowsOf(join(output, 'verdicts.jsonl'));
    expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 12 }, (_, row) => row));
    expect(rows[1]).toMatchObject({
      ...{ model_a: 'base', model_b: 'tuned', preference_b: 1, judge: 'function', failed: null },
      orders: [
        { first: 'a', preference_first: 0, exchanges: [{ asked: 'which?' }] },
        { first: 'b', preference_first: 1 },
      ],
    });
    const annotations = JSON.parse(readFileSync(join(output, 'annotations.json'), 'utf8'));
    expect(annotations).toHaveLength(12);
    const written = JSON.parse(readFileSync(join(output, 'summary.json'), 'utf8'));
    expect(comparisonFile.parse(written)).toEqual(written);
    expect(written).toMatchObject({ pairs: 12, win_rate: { value: 8 / 12 }, model_b: 'tuned' });
    const report = readFileSync(join(output, 'report.html'), 'utf8');
    expect(report).not.toMatch(/<img|<b>|<script>alert|<link|<script src|url\(/);
    expect(report).toContain('&lt;img src=x onerror');
    expect(existsSync(join(output, '.lock'))).toBe(false);
    const again = await recompute([join(output, 'verdicts.jsonl')], null);
    expect(again).toEqual(summary);
  });

  it('asks nothing again, and only what is new', async () => {
    using folder = new TestFolder();
    const judge = longerWins();
    const options = comparison(folder, judge);
    const few = await runComparison({ ...options, limit: 5 });
    const asked = judge.asked;
    const notices: string[] = [];
    expect(await runComparison({ ...options, limit: 5 })).toEqual(few);
    expect(judge.asked).toBe(asked);
    await runComparison(options, { onNotice: (text) => notices.push(text) });
    expect(notices.join()).toContain('5 of 12');
    // Rows 6 and 9 are empty, 7, 8, 10, 11 and 5 are asked in both orders.
    expect(judge.asked).toBe(asked + 10);
  });

  it('resumes after an interrupt, and after a line that is cut off', async () => {
    using folder = new TestFolder();
    const stop = new AbortController();
    const judge = longerWins();
    const options = comparison(folder, judge);
    const stopped = await runComparison(options, {
      signal: stop.signal,
      onProgress: ({ done }) => done === 6 && stop.abort(),
    });
    expect(stopped).toMatchObject({ summary: null, interrupted: true });
    const partial = join(options.output, 'verdicts.jsonl.partial');
    expect(rowsOf(partial)).toHaveLength(6);
    truncateSync(partial, readFileSync(partial).length - 20);
    const { summary } = await runComparison(options);
    expect(summary!.pairs).toBe(12);
    expect(existsSync(partial)).toBe(false);
    expect(rowsOf(join(options.output, 'verdicts.jsonl'))).toHaveLength(12);
  });

  it('refuses the folder of another judge, of other answers, and of another kind', async () => {
    using folder = new TestFolder();
    const options = comparison(folder, longerWins());
    await runComparison(options);
    const other = longerWins({ name: 'other', identity: 'other' });
    const asOther = { ...options, openJudge: async () => other };
    await expect(runComparison(asOther)).rejects.toThrow(/other.*--overwrite/);
    const labels = folder.rows('labels.jsonl', [
      { prompt: 'p', output_1: 'x', output_2: 'yy', label: 2 },
    ]);
    const check = { ...common(longerWins(), options.output), files: [labels] };
    await expect(runCheck(check)).rejects.toThrow('check');
    const pairs = folder.rows('pairs.jsonl', [{ prompt: 'p', chosen: 'x', rejected: 'yy' }]);
    const source = { kind: 'pairs', files: [pairs] } as const;
    await expect(runComparison({ ...options, source })).rejects.toThrow('--overwrite');
    await runComparison({ ...asOther, overwrite: true });
    expect(rowsOf(join(options.output, 'verdicts.jsonl'))[1]).toMatchObject({ judge: 'other' });
  });

  it('writes and asks nothing in a dry run', async () => {
    using folder = new TestFolder();
    const judge = longerWins();
    const options = { ...comparison(folder, judge), dryRun: true };
    const plans: unknown[] = [];
    const outcome = await runComparison(options, { onPlan: (plan) => plans.push(plan) });
    expect(outcome).toMatchObject({ summary: null, interrupted: false });
    const { output } = options;
    expect(plans).toEqual([{ mode: 'comparison', judge, rows: 12, done: 0, output }]);
    expect(judge.asked).toBe(0);
    expect(existsSync(options.output)).toBe(false);
  });
});

describe('runComparison with a check of the judge', () => {
  const labels = (folder: TestFolder) =>
    folder.rows('labels.jsonl', [
      { prompt: 'p', output_1: 'x', output_2: 'yy', label: 2 },
      { prompt: 'q', output_1: 'x', output_2: 'yy', label: 2 },
      { prompt: 'r', output_1: 'x', output_2: 'yy', label: 1 },
    ]);

  it('has how right the judge is beside the win rate, on all labelled pairs', async () => {
    using folder = new TestFolder();
    const judge = longerWins();
    const check = { files: [labels(folder)], reading: {} };
    const named = comparison(folder, judge);
    // The labels have no such column.
    const options = { ...named, limit: 2, check, category: 'kind' };
    const modes: string[] = [];
    const hooks = { onProgress: (_: unknown, mode: string) => modes.push(mode) };
    const { summary } = await runComparison(options, hooks);
    expect(summary).toMatchObject({
      pairs: 2,
      check: { pairs: 3, decided: 3, accuracy: { value: 2 / 3 }, orders: { agree: { value: 1 } } },
    });
    // Three pairs do not show that a judge is better than a coin.
    expect(summary!.findings.map(({ code }) => code)).toContain('no-better-than-coin');
    expect([...new Set(modes)]).toEqual(['check', 'comparison']);
    const { output } = options;
    const written = JSON.parse(readFileSync(join(output, 'summary.json'), 'utf8'));
    expect(written.check).toMatchObject({ accuracy: { value: 2 / 3, count: 3 } });
    const report = readFileSync(join(output, 'report.html'), 'utf8');
    expect(report).toContain('href="check/report.html"');
    expect(existsSync(join(output, 'check/report.html'))).toBe(true);
    const asked = judge.asked;
    await runComparison(options);
    expect(judge.asked).toBe(asked);
  });

  it('resumes after an interrupt of the check, before any answer is compared', async () => {
    using folder = new TestFolder();
    const stop = new AbortController();
    const check = { files: [labels(folder)], reading: {} };
    const options = { ...comparison(folder, longerWins()), check };
    const stopped = await runComparison(options, {
      signal: stop.signal,
      onProgress: ({ done }) => done === 1 && stop.abort(),
    });
    expect(stopped).toMatchObject({ summary: null, interrupted: true });
    expect(existsSync(join(options.output, 'verdicts.jsonl.partial'))).toBe(false);
    expect((await runComparison(options)).summary).toMatchObject({ check: { pairs: 3 } });
  });

  it('says that the orders agree always if the judge sees none', async () => {
    using folder = new TestFolder();
    const judge = longerWins({ seesOrder: false });
    const { summary } = await runComparison(comparison(folder, judge));
    expect(summary).toMatchObject({ orders: { pairs: 0, once: 8, agree: null }, check: null });
    const lines = new Map(summaryLines(summary!));
    const label = 'judge is right';
    expect([lines.has(label), new Map(summaryLines(summary!, false)).has(label)]).toEqual([
      true,
      false,
    ]);
    expect(lines.get('orders agree')).toContain('does not see the order');
    expect(lines.get('judge is right')).toContain('--check');
  });
});

describe('runRating', () => {
  it('rates the answers of one file, and needs a judge that rates', async () => {
    using folder = new TestFolder();
    const file = folder.rows('tuned.jsonl', [chat('one', 'x'), chat('two', 'xxx')]);
    const usage = { promptTokens: 1, answerTokens: 1, cost: 0 };
    const judge = longerWins({
      async rate({ answer }: { answer: unknown }) {
        const score = textOf(answer).length;
        return { score, criteria: { size: score }, exchanges: [], usage };
      },
    });
    const options = { ...common(judge, folder.file('out')), file, name: null };
    const { summary } = await runRating(options);
    expect(summary).toMatchObject({
      ...{ model: 'tuned', answers: 2, rated: 2, score: { value: 2, count: 2 } },
      criteria: [{ name: 'size', score: { value: 2 } }],
    });
    const written = JSON.parse(readFileSync(folder.file('out/summary.json'), 'utf8'));
    expect(scoresFile.parse(written)).toEqual(written);
    expect(rowsOf(folder.file('out/ratings.jsonl'))[1]).toMatchObject({ score: 3, row: 1 });
    expect(readFileSync(folder.file('out/report.html'), 'utf8')).toContain('score 3.000');
    const compares = { ...options, openJudge: async () => longerWins(), overwrite: true };
    await expect(runRating(compares)).rejects.toThrow('function');
  });
});

describe('ratings', () => {
  it('of one prompt have no interval, and none is a serious finding', async () => {
    using folder = new TestFolder();
    const file = folder.rows('one.jsonl', [chat('one', 'x'), chat('one', 'xxx')]);
    const usage = { promptTokens: 1, answerTokens: 1, cost: 0 };
    const rating = (of: number) =>
      longerWins({ rate: async () => ({ score: of, exchanges: [], usage }) });
    const options = (judge: Judge) => ({
      ...{ ...common(judge, folder.file('out')), file, name: null, overwrite: true },
    });
    const one = (await runRating(options(rating(2)))).summary!;
    expect(one).toMatchObject({ score: { value: 2, interval: null, count: 2 }, findings: [] });
    const none = (await runRating(options(rating(Number.NaN)))).summary!;
    expect(none).toMatchObject({ score: null, findings: [{ code: 'no-verdicts' }] });
  });
});

describe('runCheck', () => {
  it('writes verdicts with the votes, a summary and a report', async () => {
    using folder = new TestFolder();
    const row = { prompt: '<i>p</i>', output_1: 'x', output_2: 'yy' };
    const labels = folder.rows('labels.jsonl', [
      { ...row, label: 2 },
      { ...row, prompt: 'q', label: 1 },
    ]);
    const options = { ...common(longerWins(), folder.file('out')), files: [labels] };
    const { summary } = await runCheck(options);
    expect(summary).toMatchObject({ pairs: 2, accuracy: { value: 0.5 }, orders: { pairs: 2 } });
    const written = JSON.parse(readFileSync(folder.file('out/summary.json'), 'utf8'));
    expect(checkFile.parse(written)).toMatchObject({ accuracy: { value: 0.5 }, pairs: 2 });
    expect(rowsOf(folder.file('out/verdicts.jsonl'))[0]).toMatchObject({ votes: ['b'] });
    const report = readFileSync(folder.file('out/report.html'), 'utf8');
    expect(report).toContain('&lt;i&gt;p');
    expect(report).toContain('class="reliability"');
  });
});
