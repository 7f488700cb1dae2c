import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '@keel/align';
import { describe, expect, it } from 'vitest';
import { TestFolder } from '../testing/folders.ts';
import { verdict } from '../testing/verdicts.ts';
import type { Winner } from '../verdicts/verdict-row.ts';
import { checkLines } from './check-lines.ts';
import { type LabelledVerdict, summariseCheck } from './check-summary.ts';
import { majorityOf, readLabels } from './read-labels.ts';

const labelled = (
  row: number,
  first: readonly (number | null)[],
  votes: readonly Winner[],
  own = {},
): LabelledVerdict => ({ ...verdict(row, first, own), votes });

describe('summariseCheck', () => {
  it('compares verdicts with the majority of people', () => {
    const rows = [
      labelled(0, [0.1, 0.9], ['b', 'b', 'a']),
      labelled(1, [0.2, 0.8], ['a', 'a', 'tie']),
      labelled(2, [1, 1], ['b', 'b', 'b']),
      labelled(3, [0.9, 0.2], ['a', 'b', 'tie']),
    ];
    const summary = summariseCheck(rows);
    expect(summary).toMatchObject({ pairs: 4, judged: 4, decided: 3 });
    expect(summary.accuracy!.value).toBe((1 + 0 + 0.5) / 3);
    expect(summary.byOrder).toMatchObject({
      firstOrder: { value: 1 / 3 },
      swapped: { value: 2 / 3 },
      both: { value: 1 / 3 },
    });
    expect(summary.ties).toEqual({ judge: 1, people: 1 });
    expect(summary.orders.agree!.value).toBe(3 / 4);
    expect(summary.people).toMatchObject({ votes: 3, accuracy: { value: expect.any(Number) } });
    // Brier score of the probabilities for the people's answer: 0.9, 0.2, 0.5.
    expect(summary.calibration!.brier).toBeCloseTo((0.01 + 0.64 + 0.25) / 3, 9);
    expect(JSON.stringify(checkLines(summary))).not.toMatch(/NaN|undefined"|Infinity/);
  });

  it('says so if the judge is no better than a coin', () => {
    const rows = Array.from({ length: 30 }, (_, row) =>
      labelled(row, [0.9, 0.1], [row % 2 === 0 ? 'a' : 'b']),
    );
    const codes = summariseCheck(rows).findings.map(({ code }) => code);
    expect(codes).toContain('no-better-than-coin');
    const right = rows.map((row) => ({ ...row, votes: ['a' as const] }));
    expect(summariseCheck(right).findings.map(({ code }) => code)).not.toContain(
      'no-better-than-coin',
    );
  });

  it('says so if the judge prefers the longer answer more than people do', () => {
    const rows = Array.from({ length: 40 }, (_, row) =>
      labelled(row, [0.1, 0.9], [row % 4 === 0 ? 'a' : 'b']),
    );
    expect(summariseCheck(rows)).toMatchObject({
      longerWins: { judge: { value: 1 }, people: { value: 0.75 } },
    });
    expect(summariseCheck(rows).findings.map(({ code }) => code)).toContain('length-bias');
  });

  it('has no kappa if all labels are the same, as those of preference rows', () => {
    const rows = [0.1, 0.4, 0.9, 0.7].map((first, row) => labelled(row, [first], ['b']));
    expect(summariseCheck(rows)).toMatchObject({ kappa: { value: null, interval: null } });
    const mixed = rows.map((row, at) => ({ ...row, votes: [at < 2 ? ('b' as const) : 'a'] }));
    expect(summariseCheck(mixed as LabelledVerdict[]).kappa.value).toBe(1);
  });

  it('shows the accuracy of each category', () => {
    const rows = ['easy', 'hard', 'hard'].map((category, row) =>
      labelled(row, [0.1, 0.9], [row === 2 ? 'a' : 'b'], { category }),
    );
    const lines = new Map(checkLines(summariseCheck(rows)));
    expect(lines.get('  easy')).toMatch(/^100% .* of 1$/);
    expect(lines.get('  hard')).toMatch(/^50% .* of 2$/);
  });

  it('has no number where there is none', () => {
    const failed = summariseCheck([labelled(0, [null, null], ['a'])]);
    expect(failed).toMatchObject({ accuracy: null, calibration: null, byOrder: null, judged: 0 });
    const tied = summariseCheck([labelled(0, [0.5], ['tie'])]);
    expect(tied).toMatchObject({ accuracy: null, decided: 0, orders: { agree: null } });
    for (const one of [failed, tied])
      expect(JSON.stringify(checkLines(one))).not.toMatch(/NaN|Infinity/);
  });
});

describe('readLabels', () => {
  it('reads pairs, votes of several people, and single labels', async () => {
    using folder = new TestFolder();
    const file = folder.rows('labels.jsonl', [
      { prompt: 'p', chosen: 'good', rejected: 'bad' },
      {
        ...{ prompt: 'p', response_1: 'x', response_2: 'y', model_1: 'opt', model_2: 'gpt' },
        labels: { ann: 1, bob: 0, eve: null },
      },
      { instruction: 'p', output_1: 'x', output_2: 'y', label: 2, judges: {} },
    ]);
    const pairs = await readLabels([file], {});
    expect(pairs.map(({ votes, modelA }) => [votes, modelA])).toEqual([
      [['b'], 'rejected'],
      [['a', 'tie'], 'opt'],
      [['b'], 'output_1'],
    ]);
    // A judge that reads the row's fields must not find the label.
    expect(pairs[2]!.extra).toEqual({});
  });

  it('reads the votes of a CSV file, and no truth values as votes', async () => {
    using folder = new TestFolder();
    const file = folder.text('labels.csv', 'prompt,output_1,output_2,label\np,x,y,1\np,x,y,0\n');
    const pairs = await readLabels([file], {});
    expect(pairs.map(({ votes }) => votes)).toEqual([['a'], ['tie']]);
    const people = folder.text(
      'people.csv',
      'prompt,output_1,output_2,labels\np,x,y,"{""ann"": 1, ""bob"": 2.0}"\np,x,y,"[2, 0]"\n',
    );
    const several = await readLabels([people], {});
    expect(several.map(({ votes }) => votes)).toEqual([
      ['a', 'b'],
      ['b', 'tie'],
    ]);
    const row = { prompt: 'p', output_1: 'x', output_2: 'y', label: false };
    const other = folder.rows('truth.jsonl', [row]);
    await expect(readLabels([other], {})).rejects.toMatchObject({ line: 1, field: 'label' });
  });

  it('takes the more probable answer of an uncertain label as the better one', async () => {
    using folder = new TestFolder();
    const pair = { prompt: 'p', chosen: 'good', rejected: 'bad' };
    const file = folder.rows(
      'soft.jsonl',
      [0.7, 0.2, 0.5].map((p) => ({ ...pair, label_probability: p })),
    );
    const pairs = await readLabels([file], {});
    expect(pairs.map(({ votes }) => votes)).toEqual([['b'], ['a'], ['tie']]);
    expect(pairs[0]!.extra).toEqual({});
  });

  it('names the place of a vote that is none', async () => {
    using folder = new TestFolder();
    const row = { prompt: 'p', output_1: 'x', output_2: 'y' };
    for (const [label, field] of [
      [3, 'label'],
      [null, 'label'],
    ] as const) {
      const file = folder.rows('bad.jsonl', [
        { ...row, label: 1 },
        { ...row, label },
      ]);
      const error = await readLabels([file], {}).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(DataError);
      expect(error).toMatchObject({ line: 2, field });
    }
    const none = folder.rows('none.jsonl', [row]);
    await expect(readLabels([none], {})).rejects.toMatchObject({ line: 1 });
  });

  it('names the categories of several files after them', async () => {
    using folder = new TestFolder();
    const row = { prompt: 'p', output_1: 'x', output_2: 'y', label: 1 };
    const files = ['easy', 'hard'].map((name) => folder.rows(`${name}.jsonl`, [row]));
    const pairs = await readLabels(files, {});
    const more = ['one', 'two'].map((name) => folder.rows(`${name}.jsonl`, [row, row, row]));
    const some = await readLabels(more, {}, {}, 2);
    expect(some.map(({ category }) => category)).toEqual(['one', 'one', 'two', 'two']);
    expect(pairs.map(({ category, row: index }) => [category, index])).toEqual([
      ['easy', 0],
      ['hard', 1],
    ]);
  });

  it('names the categories of files of one name after their folders', async () => {
    using folder = new TestFolder();
    const files = ['Natural', 'Neighbor'].map((name) => {
      mkdirSync(join(folder.path, name));
      const file = join(folder.path, name, 'dataset.json');
      // As LLMBar publishes them: a list of rows.
      const row = { input: 'p', output_1: 'x', output_2: 'y', label: 1 };
      writeFileSync(file, JSON.stringify([row]));
      return file;
    });
    const pairs = await readLabels(files, {});
    expect(pairs.map(({ category, votes }) => [category, votes])).toEqual([
      ['Natural', ['a']],
      ['Neighbor', ['a']],
    ]);
  });

  it('takes the vote of most, and a tie where none has most', () => {
    expect(majorityOf(['a', 'b', 'b'])).toBe('b');
    expect(majorityOf(['a', 'b'])).toBe('tie');
    expect(majorityOf(['a', 'tie', 'tie'])).toBe('tie');
  });
});
