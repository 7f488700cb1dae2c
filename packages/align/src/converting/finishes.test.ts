import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFiles } from '../data/fixtures/temporary-files.ts';
import { convertRows } from './convert-rows.ts';
import type { Target } from './target-names.ts';

const { write, folder } = temporaryFiles();

async function converted(row: object, to: Target, form = JSON.stringify): Promise<object[]> {
  const output = join(folder, 'out.jsonl');
  await convertRows({
    ...{ files: [write('in.jsonl', `${form(row)}\n`)], output },
    ...{ from: 'auto', to, pairing: 'best_worst', seed: 42, score: null },
    ...{ columns: null, wrapChat: false, keep: null, drop: null, system: null },
    ...{ onBadRow: 'fail', overwrite: true },
  });
  const lines = readFileSync(output, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const finish = Object.entries(JSON.parse(line)).filter(([name]) => name.includes('finish'));
    return Object.fromEntries(finish);
  });
}

const pair = (chosen: string, rejected: string) => ({
  ...{ prompt: 'Say', chosen: ' one', rejected: ' two', id: 3 },
  ...{ chosen_finish_reason: chosen, rejected_finish_reason: rejected },
});

const ranking = (...finish_reasons: string[]) => ({
  ...{ prompt: 'Say', completions: [' one', ' two', ' three'], scores: [3, 1, 2] },
  finish_reasons,
});

test.each<[string, object, Target, object[]]>([
  ['a pair', pair('stop', 'eos'), 'kto', [{ finish_reason: 'stop' }, { finish_reason: 'eos' }]],
  ['a pair', pair('stop', 'eos'), 'rankings', [{ finish_reasons: ['stop', 'eos'] }]],
  ['a pair, of which one answer stays', pair('stop', 'length'), 'sft', [{ finish_reason: 'stop' }]],
  ['a pair', pair('length', 'length'), 'prompts', [{}]],
  [
    'a ranking',
    ranking('a', 'b', 'c'),
    'pairs',
    [{ chosen_finish_reason: 'a', rejected_finish_reason: 'b' }],
  ],
  ['a ranking', ranking('a', 'b', 'c'), 'kto', [{ finish_reason: 'a' }, { finish_reason: 'b' }]],
  ['a ranking', ranking('a', 'b', 'c'), 'rankings', [{ finish_reasons: ['a', 'b', 'c'] }]],
  [
    'a single answer',
    { prompt: 'Say', completion: ' one', label: true, finish_reason: 'stop' },
    'sft',
    [{ finish_reason: 'stop' }],
  ],
])('%s %j as %s', async (_, row, to, expected) => {
  expect(await converted(row, to)).toEqual(expected);
});

test.each<[object, Target]>([
  [pair('stop', 'length'), 'kto'],
  [pair('stop', 'length'), 'rankings'],
  [pair('length', 'stop'), 'sft'],
  [pair('length', 'stop'), 'pairs'],
  [{ ...pair('stop', 'length'), label_probability: 0.2 }, 'sft'],
])('an answer that was cut off is refused: %j as %s', async (row, to) => {
  await expect(converted(row, to)).rejects.toThrow('length');
});
