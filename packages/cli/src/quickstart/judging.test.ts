import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TemporaryFolder } from '../testing/command-line.ts';
import { judgeAnswers } from './judging.ts';
import type { JudgedAnswer, Question } from './measure.ts';

const labels = new URL('../../../../examples/data/concise-held-out.jsonl', import.meta.url)
  .pathname;

test('judges the answers before and after, and checks the judge on the bundled pairs', async () => {
  using folder = new TemporaryFolder();
  const kinds = ['known', 'unknowable', 'known'] as const;
  const questions = kinds.map((kind, row): Question => ({ prompt: `question ${row}`, kind }));
  const answers = (texts: readonly string[]): JudgedAnswer[] =>
    texts.map((text) => ({ text, tokens: [], verdict: { passed: true, reason: '' } }));
  const output = folder.file('judged');
  const summary = await judgeAnswers(
    { questions, before: answers(['no', 'no', 'yes']), after: answers(['yes', 'yes', 'no']) },
    { reward: 'regex:/y/', labels, output, notice: () => {} },
  );
  expect(summary).toMatchObject({
    ...{ pairs: 3, modelA: 'before', modelB: 'after', wins: 2, losses: 1 },
    winRate: { value: 2 / 3, count: 3 },
    orders: { once: 3, agree: null },
    check: { pairs: 68, decided: 68, orders: { once: 68 } },
    categories: [{ category: 'known' }, { category: 'unknowable' }],
  });
  for (const name of ['report.html', 'check/report.html']) {
    expect(existsSync(join(output, name)), name).toBe(true);
  }
});
