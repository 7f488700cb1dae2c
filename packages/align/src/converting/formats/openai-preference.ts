// OpenAI's files for preference fine-tuning.
import { isPlainObject } from '@keel/model/exact-json';
import { describeValue } from '../../data/data-error.ts';
import type { Example, RowFormat } from './example.ts';
import { dropOthers, withRefusal, withRequest } from './openai.ts';
import { askedBy, jsonIn, listIn, messagesOf, without } from './turns.ts';

const answers = ['preferred_output', 'non_preferred_output'] as const;

export const openAiPreference: RowFormat = {
  name: 'openai-preference',
  columns: '`input` with `messages` and `tools`, `preferred_output`, `non_preferred_output`',
  reads: ['input', ...answers],
  recognise: (row) =>
    answers.every((name) => name in row)
      ? 'the columns "preferred_output" and "non_preferred_output"'
      : null,
  convert([row], reading): Example {
    const input = jsonIn(row!.input);
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
    const request = input as Record<string, unknown>;
    dropOthers(request, 'input', reading);
    return {
      kind: 'pair',
      prompt: askedBy(messagesOf(list, 'input.messages', reading), 'input.messages', reading),
      chosen: chosen!,
      rejected: rejected!,
      scores: {},
      columns: withRequest(without(row!, ['input', ...answers]), request, reading),
    };
  },
};
