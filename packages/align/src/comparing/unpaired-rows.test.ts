import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openRows } from '../data/open-rows.ts';
import { UnpairedSource } from '../methods/answers/unpaired-source.ts';
import { PairSource } from '../methods/pairs/pair-source.ts';
import { tinyChatTokenizer, tinyRows, writeRowsFile } from '../testing/tiny-chat-model.ts';
import { writeUnpaired, writeUnpairedOnce } from './unpaired-rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'keel-unpaired-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = writeRowsFile(folder, tinyRows(10));
const tokenizer = tinyChatTokenizer();

it.each([
  true,
  false,
])('a run on the single answers uses the pairs of the same step, across epochs: shuffled %s', async (shuffle) => {
  await using pairs = await openRows(file, { kind: 'preference' });
  const path = join(folder, `answers-${shuffle}.jsonl`);
  await writeUnpaired(path, pairs, { seed: 5, shuffle, pairs: 14 });
  await using answers = await openRows(path, { kind: 'unpaired' });
  const how = { seed: 5, maxLength: null };
  using ofPairs = new PairSource(pairs, tokenizer, { ...how, shuffle });
  using ofAnswers = new UnpairedSource(answers, tokenizer, { ...how, shuffle: false });
  for (let step = 0; step < 7; step++) {
    const expected = (await ofPairs.next(2)).flatMap(({ pair }) => [
      { prompt: pair.prompt, answer: pair.chosen, label: true },
      { prompt: pair.prompt, answer: pair.rejected, label: false },
    ]);
    const found = await ofAnswers.next(4);
    expect(
      found.map(({ answer }) => ({
        ...{ prompt: answer.prompt, answer: answer.answer, label: answer.label },
      })),
    ).toEqual(expected);
  }
});

it('writes every held-out pair once', async () => {
  await using pairs = await openRows(file, { kind: 'preference' });
  const path = join(folder, 'held-out.jsonl');
  await writeUnpairedOnce(path, pairs);
  await using answers = await openRows(path, { kind: 'unpaired' });
  expect(answers.length).toBe(2 * pairs.length);
  const [first] = await pairs.readMany([9]);
  const [good, bad] = await answers.readMany([18, 19]);
  expect(good).toMatchObject({ prompt: first!.prompt, completion: first!.chosen, label: true });
  expect(bad).toMatchObject({ completion: first!.rejected, label: false });
});

it('writes both answers of an uncertain pair with their own probabilities', async () => {
  const [row] = tinyRows(1);
  const { prompt, chosen, rejected } = row!;
  const soft = join(folder, 'soft.jsonl');
  writeFileSync(soft, JSON.stringify({ prompt, chosen, rejected, label_probability: 0.25 }));
  await using pairs = await openRows(soft, { kind: 'preference' });
  const path = join(folder, 'soft-answers.jsonl');
  await writeUnpairedOnce(path, pairs);
  await using answers = await openRows(path, { kind: 'unpaired' });
  expect(await answers.readMany([0, 1])).toMatchObject([
    { completion: chosen, label: false, label_probability: 0.25 },
    { completion: rejected, label: true, label_probability: 0.75 },
  ]);
});
