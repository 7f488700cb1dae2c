// Data that does not fit the objective is reported in plain words, before a model is looked up or a
// folder is created.
import { existsSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { keel, TemporaryFolder } from '../testing/command-line.ts';

const rows = {
  pair: { prompt: 'q', chosen: 'a', rejected: 'b' },
  ranking: { prompt: 'q', completions: ['a', 'b'], scores: [2, 1] },
  ties: { prompt: 'q', completions: ['a', 'b'], ranking: [1, 1] },
  single: { prompt: 'q', completion: 'a', label: true },
  answer: { prompt: 'q', completion: 'a' },
  steps: { prompt: 'q', completions: ['a', 'b'], labels: [true, false] },
} as const;

const cases: readonly (readonly [keyof typeof rows, string, RegExp])[] = [
  ['ranking', 'dpo', /"chosen".*rankings.*--ranking-pairs all.*plackett_luce/],
  ['ranking', 'dpo --loss odpo', /"chosen".*rankings/],
  ['single', 'dpo', /rows\.jsonl:1: .*keel kto/],
  ['answer', 'dpo', /rows\.jsonl:1: .*keel sft/],
  ['pair', 'dpo --ranking-pairs all', /rows\.jsonl:1: .*pairs.*--ranking-pairs/],
  ['ties', 'dpo --ranking-pairs best_worst', /"ranking": .*found only ties.*--on-bad-row skip/],
  ['ties', 'dpo --loss plackett_luce', /"ranking": .*found only ties/],
  ['steps', 'dpo --loss plackett_luce', /found the steps of one answer.*keel reward/],
  ['single', 'dpo --loss plackett_luce', /rows\.jsonl:1: .*keel kto/],
  ['pair', 'dpo --loss odpo', /"score_chosen": expected scores of both answers, which --loss odpo/],
  ['pair', 'dpo --loss rebel', /scores of both answers, which --loss rebel needs/],
  ['pair', 'dpo --loss dno', /scores of both answers, which --loss dno needs/],
  ['pair', 'dpo --min-score-gap 1', /scores of both answers, by which --min-score-gap chooses/],
  ['single', 'kto', /the label is true in all 1 rows .*keel sft/],
  ['pair', 'kto', /"completion".*pairs.*keel dpo.*"label"/],
  ['ranking', 'kto', /"completion".*rankings.*keel dpo --loss plackett_luce/],
];

const usage: readonly (readonly [string, RegExp])[] = [
  ['--loss plackett_luce,sigmoid', /--loss: .*plackett_luce/],
  ['--loss plackett_luce --simpo-gamma 1', /--simpo-gamma: .*plackett_luce/],
  ['--loss plackett_luce --ranking-pairs all', /--ranking-pairs: .*--loss plackett_luce/],
  ['--beta-schedule linear', /--beta-final: .*--beta-schedule linear/],
  ['--drop-below-margin 1', /--drop-below-margin: expected a number below 0, found 1/],
];

async function call(kind: keyof typeof rows, command: string) {
  using folder = new TemporaryFolder();
  const data = folder.file('rows.jsonl');
  writeFileSync(data, `${JSON.stringify(rows[kind])}\n`);
  const run = folder.file('run');
  const found = await keel([
    ...command.split(' '),
    ...['--data', data, '--output', run, '--model', folder.file('no-model')],
  ]);
  return { ...found, made: existsSync(run) };
}

describe('data that does not fit', () => {
  test.each(cases)('%s for keel %s', async (kind, command, message) => {
    const { code, stderr, made } = await call(kind, command);
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
    expect(made).toBe(false);
    expect(stderr).not.toMatch(/no model at|\n {4}at /);
  });

  test.each(usage)('keel dpo %s', async (flags, message) => {
    const { code, stderr } = await call('pair', `dpo ${flags}`);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
