// UltraFeedback binarized (HuggingFaceH4, trl-lib): both answers as whole chats with the prompt.
import { isDeepStrictEqual } from 'node:util';
import { isPlainObject } from '@keel/model/exact-json';
import { describeValue } from '../../data/data-error.ts';
import type { Example, Fields, Reading, RowFormat } from './example.ts';
import {
  areMessages,
  areShareGptTurns,
  has,
  isBlank,
  listIn,
  messagesOf,
  optionalNumber,
  plainText,
  user,
  without,
} from './turns.ts';

const scoreFields = ['score_chosen', 'score_rejected', 'margin'];
const own = ['prompt', 'chosen', 'rejected', 'messages', ...scoreFields];

const isAnswer = (message: unknown): boolean =>
  isPlainObject(message) && message.role === 'assistant';

export const ultraFeedbackBinarized: RowFormat = {
  name: 'ultrafeedback-binarized',
  columns: '`chosen` and `rejected`, lists of messages that start with the prompt; `score_chosen`',
  reads: own,
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
    }) as [unknown[], unknown[]];
    const columns = without(row!, own);
    const scores: Record<string, number> = {};
    for (const field of scoreFields) {
      const number = optionalNumber(row!, field, reading);
      if (number !== undefined) scores[field] = number;
    }
    if (has(row!, 'messages')) {
      const repeats = isDeepStrictEqual(listIn(row!.messages), listIn(row!.chosen));
      reading.drop('messages', repeats ? 'it repeats "chosen"' : 'the row is a pair');
    }
    const prompt = promptOf(row!, chosen, rejected, reading);
    return { kind: 'pair', ...prompt, chosen, rejected, scores, columns };
  },
};

/**
 * The column "prompt", unless both chats start with it: their common beginning is the prompt then.
 * @throws DataError for a prompt that is not among the first messages of both chats
 */
function promptOf(
  row: Fields,
  chosen: readonly unknown[],
  rejected: readonly unknown[],
  reading: Reading,
): { prompt?: readonly unknown[] } {
  const { prompt } = row;
  if (isBlank(prompt)) return {};
  const list = listIn(prompt);
  const isChat = areMessages(list) || areShareGptTurns(list);
  if (!isChat && typeof prompt !== 'string') {
    return reading.fail('prompt', {
      expected: 'text, or a list of messages',
      found: describeValue(prompt),
    });
  }
  const asked = isChat
    ? messagesOf(list!, 'prompt', reading)
    : [user(plainText(prompt as string, 'prompt', reading.fail))];
  if (isAnswer(chosen[0]) && isAnswer(rejected[0])) return { prompt: asked };
  const shared = sharedBy(chosen, rejected);
  const isRepeated = isChat
    ? asked.every((message, at) => isDeepStrictEqual(message, shared[at]))
    : shared.some((message) => textOf(message) === (prompt as string).trim());
  if (isRepeated) return {};
  return reading.fail('prompt', {
    expected: isChat
      ? 'the messages with which both chats start'
      : 'the text of a message with which both chats start',
    found: describeValue(prompt),
    advice: 'Add the prompt to both chats, or remove the column',
  });
}

function sharedBy(chosen: readonly unknown[], rejected: readonly unknown[]): readonly unknown[] {
  const differs = chosen.findIndex((message, at) => !isDeepStrictEqual(message, rejected[at]));
  return differs === -1 ? chosen : chosen.slice(0, differs);
}

/** The text of a question; null for an answer. */
function textOf(message: unknown): string | null {
  if (!isPlainObject(message) || isAnswer(message)) return null;
  const { content } = message;
  const parts = Array.isArray(content) ? content : [{ text: content }];
  return parts
    .map((part) => (isPlainObject(part) && typeof part.text === 'string' ? part.text : ''))
    .join('')
    .trim();
}
