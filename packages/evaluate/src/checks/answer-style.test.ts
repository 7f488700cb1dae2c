import { answerStyle } from '@keel/align/hacking';
import { expect, test } from 'vitest';
import { styleCheck } from './answer-style.ts';

const answer = '# Plan\n\nPerhaps **wait**, it depends.\n\n- one\n';

test('the check judges nothing, and has shares', async () => {
  const row = { prompt: '', extra: {} };
  const { score, measures } = await styleCheck().check(answer, row);
  expect(score).toBeNull();
  expect(measures).toMatchObject({
    with_list: { sum: 1, count: 1 },
    with_markdown: { sum: 1, count: 1 },
    empty: { sum: 0, count: 1 },
    hedges_per_100_words: { sum: 200, count: answerStyle(answer).words },
  });
  expect((await styleCheck().check('', row)).measures).toMatchObject({
    empty: { sum: 1, count: 1 },
  });
});
