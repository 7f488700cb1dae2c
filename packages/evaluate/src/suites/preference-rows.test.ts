import { DataError } from '@keel/align';
import { expect, it } from 'vitest';
import { preferenceRequests } from './preference-rows.ts';

const pair = { prompt: 'q', chosen: 'good', rejected: 'bad' };
const answersOf = (row: object) => {
  const place = { file: 'pairs.jsonl', line: 2 };
  const [found] = preferenceRequests([{ id: 0, row: { ...row }, place }], false);
  return found!.request.answers;
};

it('the more probable answer of an uncertain label is the right one', () => {
  const right = { prompt: 'q', chosen: ['good'], rejected: ['bad'], extra: {} };
  for (const own of [{}, { label_probability: 1 }, { label_probability: 0.6 }]) {
    expect(answersOf({ ...pair, ...own })).toEqual(right);
  }
  expect(answersOf({ ...pair, label_probability: 0.4 })).toEqual({
    ...{ prompt: 'q', chosen: ['bad'], rejected: ['good'], extra: {} },
  });
});

it('tools and template variables are part of the prompt, and text beside it is refused', () => {
  const prompt = [{ role: 'user', content: 'q' }];
  const answer = (content: string) => [{ role: 'assistant', content }];
  const chats = { prompt, chosen: answer('good'), rejected: answer('bad') };
  const own = { tools: [{ name: 'f' }], chat_template_kwargs: { deep: true } };
  expect(answersOf({ ...chats, ...own }).rendering).toEqual({
    ...{ tools: own.tools, variables: { deep: true } },
  });
  expect(() => answersOf({ ...pair, context: 'what q is about' })).toThrow(/context/);
});

it('a pair without a right answer is refused with its place', () => {
  const place = { file: 'pairs.jsonl', line: 2, field: 'label_probability' };
  let error: unknown;
  try {
    answersOf({ ...pair, label_probability: 0.5 });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(DataError);
  expect(error).toMatchObject(place);
});

it('answers in lists keep the columns of their row, and refuse what they would drop', () => {
  const lists = { prompt: 'q', chosen: ['good', 'fine'], rejected: ['bad'], subset: 'Facts' };
  expect(answersOf({ ...lists, answer: 'good', num_correct: 2 })).toEqual({
    ...{ prompt: 'q', chosen: lists.chosen, rejected: lists.rejected },
    ...{ rendering: undefined, extra: { subset: 'Facts', answer: 'good', num_correct: 2 } },
  });
  for (const [field, value] of Object.entries({
    ...{ context: 'what q is about', system: 'Be brief.', weight: 0.5, label_probability: 0.7 },
  })) {
    expect(() => answersOf({ ...lists, [field]: value })).toThrow(field);
  }
  const tools = [{ name: 'f' }];
  expect(answersOf({ ...lists, tools })).toMatchObject({ rendering: { tools }, extra: { tools } });
});
