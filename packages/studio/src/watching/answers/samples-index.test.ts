import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { lines, temporaryFolder } from '../testing/run-folders.ts';
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
beforeEach(() => {
  path = join(temporaryFolder(), 'samples.jsonl');
  writeFileSync(path, lines(rows));
  index = new SamplesIndex(path);
  index.update();
});

const linesOf = (query: SampleQuery): number[] => index.page(query).samples.map(({ line }) => line);

describe('pages of samples', () => {
  test('a page has whole samples, in the order of the file', () => {
    const page = index.page({ offset: 1, limit: 2 });
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
  ])('%j', (query, expected) => {
    expect(linesOf(query)).toEqual(expected);
  });

  test.each([
    { offset: -1 },
    { limit: 0.5 },
    { limit: 501 },
    { offset: Number.NaN },
  ])('%j is refused', (query) => {
    expect(() => index.page(query)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  test('samples that are added are found, also by a query that was asked before', () => {
    expect(linesOf({ minReward: 1 })).toEqual([4]);
    appendFileSync(path, lines([sample(3, 0, 3, 'new')]));
    index.update();
    expect(linesOf({ minReward: 1 })).toEqual([4, 6]);
    expect(index.count).toBe(6);
  });

  test('a resumed run has the samples that were kept, and new ones', () => {
    writeFileSync(path, lines([...rows.slice(0, 2), sample(2, 5, 1, 'other')]));
    index.update();
    expect(index.page({}).samples.map(({ completion }) => completion)).toEqual([
      'Häuser',
      'a tower\nof stone',
      'other',
    ]);
  });

  test('damaged lines are reported', () => {
    appendFileSync(path, 'no JSON\n{"step":1}\n{"step":4,"row":1');
    index.update();
    expect(index.faults.map((fault) => fault.split(' ')[0])).toEqual([
      'samples.jsonl:6:',
      'samples.jsonl:7:',
    ]);
    expect(index.count).toBe(5);
  });
});

describe('the start and the extremes', () => {
  test('a sample is shown with the first one of its prompt', () => {
    expect(index.withStart(4)).toEqual({
      sample: { ...rows[3], line: 4 },
      start: { ...rows[1], line: 2 },
    });
    expect(index.withStart(1).start).toBeNull();
    // The held-out rows are counted by themselves.
    expect(index.withStart(5).start).toBeNull();
    expect(() => index.withStart(9)).toThrow(expect.objectContaining({ code: 'unknown' }));
  });

  test('the best and the worst of a step, each once', () => {
    const found = index.extremes(3, null)!;
    expect(found.step).toBe(2);
    expect(found.best.map(({ line }) => line)).toEqual([4]);
    expect(found.worst.map(({ line }) => line)).toEqual([5]);
    expect(index.extremes(1, 1)!.worst.map(({ line }) => line)).toEqual([2]);
    expect(index.extremes(1, 7)).toEqual({ step: 7, best: [], worst: [] });
  });

  test('a run without judged samples has none', () => {
    const empty = new SamplesIndex(`${path}.none`);
    empty.update();
    expect(empty.extremes(3, null)).toBeNull();
    expect(empty.page({})).toEqual({ total: 0, matching: 0, samples: [] });
  });
});
