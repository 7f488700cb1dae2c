import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { lines, temporaryFolder } from '../testing/run-folders.ts';
import { SampleLines } from './sample-lines.ts';
import { type SampleQuery, SamplesIndex } from './samples-index.ts';

interface Row {
  step: number;
  row: number;
  reward: number | null;
  completion: string;
  [name: string]: unknown;
}

const sample = (step: number, row: number, reward: number | null, completion: string): Row => ({
  ...{ step, row, reward, completion, kl: reward === null ? null : reward / 2 },
  prompt: [{ role: 'user', content: `Question ${row}` }],
  ...{ ended: true, tokens: completion.length },
});

const rows = [
  sample(1, 0, 0.5, 'Häuser'),
  sample(1, 1, -1, 'a tower\nof stone'),
  sample(2, 0, null, 'not judged'),
  sample(2, 1, 2, 'HÄUSER, again'),
  { ...sample(2, 0, 0.5, 'held out'), held_out: true, gold: 0.25 },
];

let path: string;
let index: SamplesIndex;
beforeEach(async () => {
  path = join(temporaryFolder(), 'samples.jsonl');
  writeFileSync(path, lines(rows));
  index = new SamplesIndex(new SampleLines(path));
  await index.update();
});

const linesOf = async (query: SampleQuery): Promise<number[]> =>
  (await index.page(query)).samples.map(({ line }) => line);

describe('pages of samples', () => {
  test('a page has whole samples, in the order of the file', async () => {
    const page = await index.page({ offset: 1, limit: 2 });
    expect(page).toEqual({
      ...{ total: 5, matching: 5 },
      samples: [
        { ...rows[1], line: 2 },
        { ...rows[2], line: 3 },
      ],
    });
  });

  test.each<[SampleQuery, number[]]>([
    [{ sort: 'reward' }, [2, 1, 5, 4, 3]],
    [{ sort: 'reward', descending: true }, [4, 1, 5, 2, 3]],
    [{ sort: 'step', descending: true }, [3, 4, 5, 1, 2]],
    [{ sort: 'gold' }, [5, 1, 2, 3, 4]],
    [{ text: 'häuser' }, [1, 4]],
    [{ text: 'question 1' }, [2, 4]],
    [{ text: 'of stone' }, [2]],
    [{ fromStep: 2 }, [3, 4, 5]],
    [{ toStep: 1 }, [1, 2]],
    [{ minReward: 0.5 }, [1, 4, 5]],
    [{ maxReward: 0 }, [2]],
    [{ heldOut: true }, [5]],
    [{ heldOut: false, fromStep: 2 }, [3, 4]],
    [{ text: 'nowhere' }, []],
    [{ offset: 99 }, []],
  ])('%j', async (query, expected) => {
    expect(await linesOf(query)).toEqual(expected);
  });

  test.each([
    { offset: -1 },
    { limit: 0.5 },
    { limit: 501 },
    { offset: Number.NaN },
  ])('%j is refused', async (query) => {
    await expect(index.page(query)).rejects.toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  test('samples that are added are found, also by a query that was asked before', async () => {
    expect(await linesOf({ minReward: 1 })).toEqual([4]);
    appendFileSync(path, lines([sample(3, 0, 3, 'new')]));
    await index.update();
    expect(await linesOf({ minReward: 1 })).toEqual([4, 6]);
    expect(index.count).toBe(6);
  });

  test('a resumed run has the samples that were kept, and new ones', async () => {
    writeFileSync(path, lines([...rows.slice(0, 2), sample(2, 5, 1, 'other')]));
    await index.update();
    expect((await index.page({})).samples.map(({ completion }) => completion)).toEqual([
      'Häuser',
      'a tower\nof stone',
      'other',
    ]);
  });

  test('damaged lines are reported', async () => {
    appendFileSync(path, 'no JSON\n{"step":1}\n{"step":4,"row":1');
    await index.update();
    expect(index.faults.map((fault) => fault.split(' ')[0])).toEqual([
      'samples.jsonl:6:',
      'samples.jsonl:7:',
    ]);
    expect(index.count).toBe(5);
  });
});

describe('the start and the extremes', () => {
  test('a sample is shown with the first one of its prompt', async () => {
    expect(await index.withStart(4)).toEqual({
      sample: { ...rows[3], line: 4 },
      start: { ...rows[1], line: 2 },
    });
    expect((await index.withStart(1)).start).toBeNull();
    // The held-out rows are counted by themselves.
    expect((await index.withStart(5)).start).toBeNull();
    await expect(index.withStart(9)).rejects.toThrow(expect.objectContaining({ code: 'unknown' }));
  });

  test('the best and the worst of a step, each once', async () => {
    const found = (await index.extremes(3, 'last'))!;
    expect(found).toMatchObject({ step: 2, first: 1, last: 2, previous: 1, next: null });
    expect(found.best.map(({ line }) => line)).toEqual([4]);
    expect(found.worst.map(({ line }) => line)).toEqual([5]);
    expect((await index.extremes(1, 1))!.worst.map(({ line }) => line)).toEqual([2]);
    // A step without rewards stands for the one before it, and a step before all for the first.
    expect((await index.extremes(1, 7))!.step).toBe(2);
    expect(await index.extremes(1, 0)).toMatchObject({ step: 1, previous: null, next: 2 });
  });

  test('the best and the worst of all steps', async () => {
    const found = (await index.extremes(2, 'all'))!;
    const judged = rows.flatMap(({ reward }) => (reward === null ? [] : [reward]));
    const sorted = judged.toSorted((a, b) => b! - a!);
    expect(found).toMatchObject({ step: null, previous: null, next: null });
    expect(found.best.map(({ reward }) => reward)).toEqual(sorted.slice(0, 2));
    expect(found.worst.map(({ reward }) => reward)).toEqual(sorted.slice(-2).reverse());
  });

  test('a run without judged samples has none', async () => {
    const empty = new SamplesIndex(new SampleLines(`${path}.none`));
    await empty.update();
    expect(await empty.extremes(3, 'last')).toBeNull();
    expect(await empty.page({})).toEqual({ total: 0, matching: 0, samples: [] });
  });
});
