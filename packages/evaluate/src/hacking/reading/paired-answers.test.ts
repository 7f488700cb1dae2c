import { expect, test } from 'vitest';
import type { AnswerRow } from '../../judging/answers/answer-row.ts';
import { pairByPrompt } from './paired-answers.ts';

const row = (file: string, line: number, tool: string | null): AnswerRow => ({
  place: { file, line },
  ...{ prompt: 'What is the weather?', answer: `${file} ${line}`, model: null, extra: {} },
  ...(tool !== null && { rendering: { tools: [{ name: tool }], variables: {} } }),
});

test('answers belong together by their prompts and tools, however many there are', () => {
  const before = [row('before', 1, null), row('before', 2, 'forecast')];
  const after = [row('after', 1, 'forecast'), row('after', 2, null), row('after', 3, null)];
  const { prompts, unpaired } = pairByPrompt(before, after, 'fail');
  const answers = prompts.map(({ before: were, after: are }) =>
    [were, are].map((rows) => rows.map(({ answer }) => answer)),
  );
  expect(answers).toEqual([
    [['before 1'], ['after 2', 'after 3']],
    [['before 2'], ['after 1']],
  ]);
  expect(unpaired).toEqual({ before: 0, after: 0 });
  const other = [...after, row('after', 4, 'almanac')];
  expect(() => pairByPrompt(before, other, 'fail')).toThrow(/after:4/);
  expect(pairByPrompt(before, other, 'skip').unpaired).toEqual({ before: 0, after: 1 });
});
