import { DataError } from '@keel/align';
import { expect, it } from 'vitest';
import { summarise } from '../summary/judging-summary.ts';
import { TestFolder } from '../testing/folders.ts';
import { verdict } from '../testing/verdicts.ts';
import { annotationsOf, readVerdicts } from './annotations.ts';

it("writes alpaca_eval's annotations, and reads them back", async () => {
  using folder = new TestFolder();
  const rows = [verdict(0, [0.2, 0.8]), verdict(1, [null, null]), verdict(2, [1, 1])];
  const annotations = annotationsOf(rows);
  expect(annotations[0]).toMatchObject({
    ...{ instruction: 'prompt 0', output_1: 'short', output_2: 'a longer one' },
    ...{ generator_1: 'base', generator_2: 'tuned', annotator: 'test', preference: 1.8 },
  });
  expect(annotations[1]!.preference).toBeNull();
  const file = folder.text('annotations.json', JSON.stringify(annotations));
  const read = await readVerdicts([file]);
  expect(read.map(({ preference_b }) => preference_b)).toEqual([0.8, null, 0.5].map(approximately));
  const [before, after] = [summarise(rows), summarise(read)];
  expect(after).toMatchObject({
    ...{ pairs: 3, judged: 2, wins: before.wins, ties: before.ties, lengths: before.lengths },
    winRate: { value: approximately(before.winRate!.value) },
  });
  const verdicts = folder.rows('verdicts.jsonl', rows);
  expect(summarise(await readVerdicts([verdicts]))).toEqual(before);
});

const approximately = (value: number | null): unknown =>
  value === null ? null : expect.closeTo(value, 12);

it('reads files of alpaca_eval, whose ties are 0 or 1.5', async () => {
  using folder = new TestFolder();
  const row = { instruction: 'p', output_1: 'x', output_2: 'y', annotator: 'gpt4' };
  const file = folder.text(
    'annotations.json',
    JSON.stringify([1, 2, 0, 1.5, 1.25].map((preference) => ({ ...row, preference }))),
  );
  expect((await readVerdicts([file])).map(({ preference_b }) => preference_b)).toEqual([
    ...[0, 1, 0.5, 0.5, 0.25],
  ]);
});

it('names the place of a preference that is none', async () => {
  using folder = new TestFolder();
  const row = { instruction: 'p', output_1: 'x', output_2: 'y' };
  const file = folder.rows('bad.jsonl', [
    { ...row, preference: 1 },
    { ...row, preference: 3 },
  ]);
  const error = await readVerdicts([file]).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DataError);
  expect(error).toMatchObject({ line: 2, field: 'preference' });
});
