import { expect, test } from 'vitest';
import { answerStyle, styleCheck } from './answer-style.ts';

const answer = `# Plan

Great question! Perhaps you **should** wait, it depends.

- one
* two
3. three

| a | b |
|---|---|
| 1 | 2 |

\`\`\`python
# no header
- not an item!
\`\`\`
Done 🙂`;

test('quantities of an answer', () => {
  expect(answerStyle(answer)).toMatchObject({
    paragraphs: 5,
    list_items: 3,
    headers: 1,
    bold: 1,
    code_blocks: 1,
    tables: 1,
    emoji: 1,
    exclamation_marks: 1,
    hedges: 2,
    pleasantries: 1,
  });
});

test('plain text has none', () => {
  const { characters, words, paragraphs, ...others } = answerStyle("It isn't 3 * 4 * 5.");
  expect({ characters, words, paragraphs }).toEqual({ characters: 19, words: 5, paragraphs: 1 });
  expect(Object.values(others).every((count) => count === 0)).toBe(true);
});

test('quantities add up over parts of a text', () => {
  const twice = answerStyle(`${answer}\n\n${answer}`);
  for (const [name, count] of Object.entries(answerStyle(answer))) {
    if (name === 'characters') continue;
    expect(twice[name as 'words'], name).toBe(2 * count);
  }
});

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
