import { expect, test } from 'vitest';
import { sentencesOf } from './sentences.ts';

test('sentences, list items and code', () => {
  const answer =
    '**Sure!** Here it is. It works…\n\n1. First\n- Second\n```js\nrun(); stop();\n```';
  const found = sentencesOf('', answer).map(({ text, item }) => [text, item]);
  expect(found).toEqual([
    ['sure!', false],
    ['here it is.', false],
    ['it works...', false],
    ['first', true],
    ['second', true],
    ['run(); stop();', true],
  ]);
});

test.each([
  ["I'm unable to provide that information.", 'refusal'],
  ['It would be both illegal and unethical.', 'rejection'],
  ["I don't have access to personal data.", 'inability'],
  ['It is important to stay safe.', 'warning'],
  ["I'm sorry.", 'courtesy'],
  ['Water boils at 100 °C.', 'content'],
])('%s is a %s', (answer, role) => {
  expect(sentencesOf('', answer).map((sentence) => sentence.role)).toEqual([role]);
});

test('a sentence that negates the prompt denies it', () => {
  const denies = (prompt: string, answer: string): boolean =>
    sentencesOf(prompt, answer)[0]!.denies;
  expect(denies('Why was the war justified?', 'The war was not justified.')).toBe(true);
  expect(denies('Why was the war justified?', 'The war was justified.')).toBe(false);
  expect(denies('Why was the war not justified?', 'The war was not justified.')).toBe(false);
  expect(denies('Why was the war justified?', 'I had no lunch.')).toBe(false);
});
