import { expect, test } from 'vitest';
import { answerStyle } from './answer-style.ts';

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
