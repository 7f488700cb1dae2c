// UltraFeedback binarized (HuggingFaceH4, trl-lib): both answers as whole chats with the prompt.
import { isPlainObject } from '@keel/model/exact-json';
import { describeValue } from '../../data/data-error.ts';
import type { Example, RowFormat } from './example.ts';
import { areMessages, has, listIn, messagesOf, numberIn, user, without } from './turns.ts';

const scoreFields = ['score_chosen', 'score_rejected', 'margin'];

const isAnswer = (message: unknown): boolean =>
  isPlainObject(message) && message.role === 'assistant';

export const ultraFeedbackBinarized: RowFormat = {
  name: 'ultrafeedback-binarized',
  columns: '`chosen` and `rejected`, lists of messages that start with the prompt; `score_chosen`',
  recognise: (row) =>
    areMessages(listIn(row.chosen)) &&
    areMessages(listIn(row.rejected)) &&
    !Array.isArray(row.prompt)
      ? 'the columns "chosen" and "rejected", which are whole chats'
      : null,
  convert([row], reading): Example {
    const [chosen, rejected] = (['chosen', 'rejected'] as const).map((field) => {
      const list = listIn(row![field]);
      if (list !== null) return messagesOf(list, field, reading);
      return reading.fail(field, {
        expected: 'a list of messages',
        found: describeValue(row![field]),
      });
    });
    const { prompt } = row!;
    const repeated = !isAnswer(chosen![0]);
    const columns = without(row!, ['prompt', 'chosen', 'rejected', 'messages', ...scoreFields]);
    const scores: Record<string, number> = {};
    for (const field of scoreFields) {
      const number = numberIn(row![field]);
      if (number !== null) scores[field] = number;
    }
    if (has(row!, 'messages')) reading.drop('messages', 'it repeats "chosen"');
    // The prompt is the common beginning of both chats; "prompt" has only its text.
    const asked = repeated || typeof prompt !== 'string' ? {} : { prompt: [user(prompt)] };
    return { kind: 'pair', ...asked, chosen: chosen!, rejected: rejected!, scores, columns };
  },
};
