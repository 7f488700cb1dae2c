// What an answer of a row must be, whatever the row's kind.
import { describeValue, type Fail } from './data-error.ts';
import { isTrained } from './message-fields.ts';
import { type Content, isChat, type Message, sameMessage, textOf } from './messages.ts';

export const checkAnswer = (field: string, answer: Content, prompt: Content, fail: Fail): void => {
  if (isChat(answer) !== isChat(prompt)) failMixed(field, answer, 'prompt', prompt, fail);
  checkNotEmpty(field, answer, fail);
  if (!isChat(answer) || !isChat(prompt)) return;
  const repeats = answer.length > prompt.length;
  if (repeats && prompt.every((message, index) => sameMessage(message, answer[index]!))) {
    fail(field, {
      expected: 'the answer alone',
      found: "the prompt's messages repeated before it",
      advice: 'Remove them from the answer, or remove the field "prompt"',
    });
  }
  checkSpeaker(field, answer, prompt, fail);
};

/**
 * An answer follows the header of an assistant turn, so it starts with an assistant message or
 * continues one.
 */
const checkSpeaker = (
  field: string,
  answer: readonly Message[],
  prompt: readonly Message[],
  fail: Fail,
): void => {
  const [first] = answer;
  if (first!.role === 'assistant' || prompt.at(-1)?.role === 'assistant') return;
  fail(field, {
    expected: 'an answer that starts with an assistant message',
    found: `one that starts with a "${first!.role}" message`,
    advice:
      'Move the messages before the first assistant message into "prompt"; if they repeat its end, remove them from the answer',
  });
};

export const checkAnswers = (answers: readonly Content[], prompt: Content, fail: Fail): void => {
  for (const [index, answer] of answers.entries()) {
    checkAnswer(`completions[${index}]`, answer, prompt, fail);
  }
};

export const checkNotEmpty = (field: string, content: Content, fail: Fail): void => {
  if (!isChat(content)) {
    if (content === '') fail(field, { expected: 'some text', found: 'an empty string' });
    return;
  }
  const spoken = content.filter((message) => message.role === 'assistant');
  if (spoken.length === 0) {
    fail(field, {
      expected: 'a message with the role "assistant"',
      found: `only the roles ${[...new Set(content.map((message) => `"${message.role}"`))].join(', ')}`,
    });
  }
  if (!spoken.some(saysSomething)) {
    fail(field, { expected: 'an answer with some text', found: 'an empty assistant message' });
  }
};

/** A tool call is an answer without text. */
const saysSomething = (message: Message): boolean =>
  textOf(message) !== '' || message.tool_calls !== undefined;

/** At least one turn must remain when the file marks turns as not trained on. */
export const checkTrained = (field: string, content: Content, fail: Fail): void => {
  if (!isChat(content)) return;
  const spoken = content.filter(({ role }) => role === 'assistant');
  if (spoken.some((message) => isTrained(message) && saysSomething(message))) return;
  fail(field, {
    expected: 'an assistant message to train on',
    found:
      spoken.length === 1 ? 'one marked as not trained on' : 'only ones marked as not trained on',
    advice:
      'Remove the row, or the mark in a message ("weight", "train", "training", "loss" or "masked")',
  });
};

/** Objectives that compare or judge answers use whole answers. */
export const checkUnmarked = (field: string, content: Content, fail: Fail): void => {
  if (!isChat(content)) return;
  const at = content.findIndex((message) => message.role === 'assistant' && !isTrained(message));
  if (at === -1) return;
  fail(`${field}[${at}]`, {
    expected: 'an answer in which every turn counts',
    found: 'a turn marked as not trained on',
    advice: 'Move the turn into "prompt", or remove the mark',
  });
};

const form = (content: Content): string => (isChat(content) ? 'a list of messages' : 'a string');

export const failMixed = (
  field: string,
  value: Content,
  other: string,
  is: Content,
  fail: Fail,
): never =>
  fail(field, {
    expected: `${form(is)}, like "${other}"`,
    found: describeValue(value),
    advice: 'Write all texts of a row as plain strings, or all of them as messages',
  });
