// OpenAI's files for preference fine-tuning.
import { isPlainObject } from '@keel/model/exact-json';
import { describeValue } from '../../data/data-error.ts';
import type { Example, RowFormat } from './example.ts';
import { requestColumns, withRefusal } from './openai.ts';
import { listIn, messagesOf, without } from './turns.ts';

const answers = ['preferred_output', 'non_preferred_output'] as const;

export const openAiPreference: RowFormat = {
  name: 'openai-preference',
  columns: '`input` with `messages` and `tools`, `preferred_output`, `non_preferred_output`',
  recognise: (row) =>
    answers.every((name) => name in row)
      ? 'the columns "preferred_output" and "non_preferred_output"'
      : null,
  convert([row], reading): Example {
    const { input } = row!;
    const list = isPlainObject(input) ? listIn(input.messages) : null;
    if (list === null) {
      return reading.fail('input.messages', {
        expected: 'a list of messages',
        found: describeValue(isPlainObject(input) ? input.messages : input),
      });
    }
    const [chosen, rejected] = answers.map((name) => {
      const answer = listIn(row![name]);
      if (answer !== null) return messagesOf(answer, name, reading).map(withRefusal);
      const found = describeValue(row![name]);
      return reading.fail(name, { expected: 'a list of messages', found });
    });
    return {
      kind: 'pair',
      prompt: messagesOf(list, 'input.messages', reading),
      chosen: chosen!,
      rejected: rejected!,
      scores: {},
      columns: {
        ...without(row!, ['input', ...answers]),
        ...requestColumns(input as Record<string, unknown>, reading),
      },
    };
  },
};
