import { expect, test } from 'vitest';
import { parseRow } from './parse-row.ts';
import { trainingFault } from './training-fault.ts';

const place = { file: 'rows.jsonl', line: 1 };
const faultOf = (row: object) => trainingFault(parseRow('judged', { prompt: 'q', ...row }, place));
const said = (content: string) => [{ role: 'assistant', content }];

test('a ranking with only ties is rejected, by the field that has them', () => {
  expect(faultOf({ completions: ['a', 'b'], ranking: [1, 1] })).toMatchObject({
    field: 'ranking',
    found: 'only ties',
    advice: expect.stringContaining('--on-bad-row skip'),
  });
  expect(faultOf({ completions: ['a', 'b', 'c'], scores: [3, 3, 3] })).toMatchObject({
    field: 'scores',
  });
  expect(faultOf({ completions: ['a', 'b', 'c'], ranking: [1, 2, 2] })).toBeNull();
});

test('an answer that is ranked twice is rejected, unless both ranks are equal', () => {
  expect(faultOf({ completions: ['a', 'b', 'a'], ranking: [1, 2, 3] })).toMatchObject({
    field: 'completions[2]',
    found: 'the same answer as completions[0] ("a") with the ranks 1 and 3',
    advice: 'Keep one of the two, give both the same rank, or skip the row with --on-bad-row skip',
  });
  expect(faultOf({ completions: ['a', 'b', 'b'], scores: [0.5, 2, 1] })).toMatchObject({
    found: 'the same answer as completions[1] ("b") with the scores 2 and 1',
  });
  expect(faultOf({ completions: ['a', 'b', 'a'], scores: [1, 2, 1] })).toBeNull();
});

test('scores that contradict the ranking are refused', () => {
  const row = { completions: ['a', 'b', 'c'], ranking: [1, 2, 3] };
  expect(faultOf({ ...row, scores: [3, 1, 2] })).toMatchObject({
    field: 'scores',
    found: expect.stringMatching(/^1 .*completions\[1\].*completions\[2\] with 2$/),
  });
  for (const scores of [
    [3, 2, 1],
    [3, 3, 1],
  ]) {
    expect(faultOf({ ...row, scores })).toBeNull();
  }
  expect(faultOf({ ...row, ranking: [1, 1, 2], scores: [1, 3, 0] })).toBeNull();
});

test('chats are compared message by message', () => {
  const prompt = [{ role: 'user', content: 'q' }];
  const completions = [said('a'), said('b'), said('a')];
  expect(faultOf({ prompt, completions, ranking: [1, 2, 2] })).toMatchObject({
    found: expect.stringContaining('completions[0] ("a")'),
  });
  expect(faultOf({ prompt, completions, ranking: [1, 2, 1] })).toBeNull();
});

test('columns that training would drop are faults too', () => {
  const pair = { chosen: 'a', rejected: 'b' };
  expect(faultOf({ ...pair, weight: 0.5 })).toMatchObject({ field: 'weight' });
  expect(faultOf(pair)).toBeNull();
});

test('a chat or an answer to imitate that is labelled as bad is rejected', () => {
  const messages = [{ role: 'user', content: 'q' }, ...said('a')];
  const labelled = (label: unknown) =>
    trainingFault(parseRow('messages', { messages, label }, place));
  expect(labelled(false)).toMatchObject({
    field: 'label',
    found: 'an answer labelled as bad',
  });
  expect(labelled(true)).toBeNull();
});
