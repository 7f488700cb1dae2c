import { isPlainObject, plainNumbers, setField } from '@keel/model/exact-json';
import type { z } from 'zod';
import { checkAnswerForms, hasCompletions, hasPair, hasSteps } from './answer-forms.ts';
import { DataError, describeValue, type Fail, type Place } from './data-error.ts';
import { sharedMessageCount, sharedTextLength } from './implicit-prompt.ts';
import { checkColumns } from './known-columns.ts';
import { isTrained } from './message-fields.ts';
import {
  type Content,
  inOrderOf,
  isChat,
  type Message,
  sameContent,
  sameMessage,
  textOf,
} from './messages.ts';
import { readRendering } from './rendering.ts';
import { questionColumn, renameAdvice } from './row-forms.ts';
import { issueDetails } from './row-issue.ts';
import {
  type judgedKinds,
  type RowKind,
  type RowOf,
  rowKinds,
  rowSchemas,
  supervisedKinds,
} from './rows.ts';

/**
 * Checks one value from a file and converts it to a row of the kind.
 * @throws DataError with the place, the field, what was expected and what was found
 */
export const parseRow = <K extends RowKind>(kind: K, value: unknown, place: Place): RowOf[K] => {
  const fail: Fail = (field, details) => {
    throw new DataError({ ...place, field, ...details });
  };
  const schema = rowSchemas[kind];
  if (schema === undefined) {
    throw new TypeError(`unknown row kind "${kind}": expected one of ${rowKinds.join(', ')}`);
  }
  if (kind === 'supervised') {
    return parseRow(supervisedKind(value, fail), value, place) as RowOf[K];
  }
  if (kind === 'judged') return parseRow(judgedKind(value, fail), value, place) as RowOf[K];
  if (isPlainObject(value)) checkAnswerForms(kind, value, fail);
  const parsed = schema.safeParse(plainOwnNumbers(value));
  if (!parsed.success) {
    const { field, ...details } = issueDetails(parsed.error.issues[0]!, value, kind);
    return fail(field, details);
  }
  const read = value as Record<string, unknown>;
  const fields = parsed.data as Record<string, unknown>;
  const extra: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    if (!Object.hasOwn(schema.shape, name)) setField(extra, name, plainNumbers(read[name]));
    else if (contentFields.has(name)) fields[name] = inOrderOf(read[name], fields[name]);
  }
  if (kind === 'preference') refuseLeftQuestion(fields, extra, fail);
  const finish = finishers[kind as ShapedKind] as unknown as (
    fields: unknown,
    fail: Fail,
  ) => object;
  const row = finish(fields, fail) as { prompt?: Content; messages?: Message[] };
  if (kind !== 'text') checkColumns(read, fail);
  const rendering = readRendering(read, isChat(row.messages ?? row.prompt ?? ''), fail);
  return { ...row, extra, ...(rendering !== null && { rendering }) } as unknown as RowOf[K];
};

/** Two plain answers whose question is in a column that pairs do not have. */
const refuseLeftQuestion = (
  { prompt, chosen }: Record<string, unknown>,
  extra: Record<string, unknown>,
  fail: Fail,
): void => {
  if ((prompt !== null && prompt !== undefined) || typeof chosen !== 'string') return;
  const column = questionColumn(extra);
  if (column === undefined) return;
  fail('prompt', {
    expected: 'a prompt',
    found: `none; the row has a column "${column}"`,
    advice: `Rename "${column}" to "prompt", or remove it if chosen and rejected begin with the prompt`,
  });
};

/** Fields that a chat template may print: their numbers stay as the file writes them. */
const contentFields = new Set([
  ...['messages', 'prompt', 'completion', 'completions', 'chosen', 'rejected'],
]);

/** Fields that Keel computes with. */
const numericFields = new Set(['margin', 'score_chosen', 'score_rejected', 'scores']);

/** The row with plain numbers in the fields that are neither texts nor chats. */
const plainOwnNumbers = (value: unknown): unknown => {
  if (!isPlainObject(value)) return value;
  let copy: Record<string, unknown> | null = null;
  for (const name of Object.keys(value)) {
    if (contentFields.has(name)) continue;
    let own = plainNumbers(value[name]);
    if (numericFields.has(name)) own = Array.isArray(own) ? own.map(asNumber) : asNumber(own);
    if (own === value[name]) continue;
    copy ??= { ...value };
    setField(copy, name, own);
  }
  return copy ?? value;
};

const asNumber = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);

/** Names of the fields that are not empty. */
const presentFields = (value: unknown): string[] => {
  const fields = typeof value === 'object' && value !== null ? value : {};
  return Object.entries(fields).flatMap(([name, field]) => (field == null ? [] : [name]));
};

/**
 * The kind of a supervised row, determined by its fields alone, so that errors describe faults of
 * that kind.
 */
const supervisedKind = (value: unknown, fail: Fail): (typeof supervisedKinds)[number] => {
  const present = presentFields(value);
  const kind = supervisedKinds.find((name) => present.includes(name));
  if (kind !== undefined) return kind;
  return fail(undefined, {
    expected: 'an object with "messages", with "prompt" and "completion", or with "text"',
    found: describeValue(value),
    advice: present.includes('chosen')
      ? 'To train on the chosen answers, rename "chosen" to "completion"; to train on the preference, use keel dpo'
      : adviceOn('supervised', value),
  });
};

/** The kind of a judged row, determined as in {@link supervisedKind}. */
const judgedKind = (value: unknown, fail: Fail): (typeof judgedKinds)[number] => {
  const present = presentFields(value);
  if (isPlainObject(value)) {
    if (hasCompletions(value)) return hasSteps(value) ? 'process' : 'ranking';
    if (hasPair(value)) return 'preference';
  }
  return fail(undefined, {
    expected:
      'an object with "chosen" and "rejected", with "completions" and "ranking" or "scores", or with "completions" (steps) and "labels"',
    found: describeValue(value),
    advice: present.includes('label')
      ? 'Write comparisons: pair answers to the same prompt as "chosen" and "rejected". To train on answers with a label each, use keel kto'
      : present.includes('completion') || present.includes('messages') || present.includes('text')
        ? 'To train on answers without a verdict, use keel sft'
        : adviceOn('judged', value),
  });
};

const adviceOn = (kind: RowKind, value: unknown): string | undefined =>
  isPlainObject(value) ? renameAdvice(kind, value) : undefined;

type ShapedKind = Exclude<RowKind, 'supervised' | 'judged'>;
type Fields<K extends ShapedKind> = z.output<(typeof rowSchemas)[K]>;

const finishers: {
  [K in ShapedKind]: (fields: Fields<K>, fail: Fail) => Omit<RowOf[K], 'extra'>;
} = {
  text: ({ text }, fail) => {
    checkNotEmpty('text', text, fail);
    return { text };
  },
  messages: ({ messages }, fail) => {
    checkNotEmpty('messages', messages, fail);
    checkTrained('messages', messages, fail);
    return { messages };
  },
  completion: ({ prompt, completion }, fail) => {
    checkAnswer('completion', completion, prompt, fail);
    checkTrained('completion', completion, fail);
    return { prompt, completion };
  },
  preference: (fields, fail) => {
    const { prompt, chosen, rejected } = splitPrompt(fields, fail);
    for (const [field, answer] of [
      ['chosen', chosen],
      ['rejected', rejected],
    ] as const) {
      checkAnswer(field, answer, prompt, fail);
      checkUnmarked(field, answer, fail);
    }
    const row: Omit<RowOf['preference'], 'extra'> = { prompt, chosen, rejected };
    for (const name of ['margin', 'score_chosen', 'score_rejected'] as const) {
      const number = fields[name];
      if (number !== null && number !== undefined) row[name] = number;
    }
    return row;
  },
  ranking: ({ prompt, completions, ranking, scores }, fail) => {
    if (completions.length < 2) {
      fail('completions', {
        expected: 'at least two answers to rank',
        found: describeValue(completions),
      });
    }
    checkAnswers(completions, prompt, fail);
    for (const [index, answer] of completions.entries()) {
      checkUnmarked(`completions[${index}]`, answer, fail);
    }
    if (!ranking && !scores) {
      fail('ranking', { expected: 'a list of ranks (or of "scores")', found: 'nothing' });
    }
    if (ranking) checkLength('ranking', ranking, completions, fail);
    if (scores) checkLength('scores', scores, completions, fail);
    const order = ranking ?? scores!.map((score) => -score);
    const distinct = [...new Set(order)].sort((a, b) => a - b);
    const ranks = order.map((value) => distinct.indexOf(value) + 1);
    return scores ? { prompt, completions, ranks, scores } : { prompt, completions, ranks };
  },
  samples: ({ prompt, completions }, fail) => {
    if (completions.length === 0) {
      fail('completions', { expected: 'at least one answer', found: 'an empty list' });
    }
    checkAnswers(completions, prompt, fail);
    return { prompt, completions };
  },
  unpaired: ({ prompt, completion, label }, fail) => {
    checkAnswer('completion', completion, prompt, fail);
    checkUnmarked('completion', completion, fail);
    return { prompt, completion, label: Boolean(label) };
  },
  process: ({ prompt, completions, labels }, fail) => {
    if (completions.length === 0) {
      fail('completions', { expected: 'at least one step', found: 'an empty list' });
    }
    for (const [index, step] of completions.entries()) {
      checkNotEmpty(`completions[${index}]`, step, fail);
    }
    checkLength('labels', labels, completions, fail);
    return { prompt, completions, labels: labels.map(Boolean) };
  },
  prompt: ({ prompt }, fail) => {
    if (prompt === '') fail('prompt', { expected: 'a prompt', found: 'an empty string' });
    return { prompt };
  },
};

/** What is found in a pair that has no effect in training. */
export const identicalAnswers = 'chosen and rejected are identical';

interface Pair {
  prompt: Content;
  chosen: Content;
  rejected: Content;
}

const splitPrompt = (fields: Fields<'preference'>, fail: Fail): Pair => {
  const { prompt, chosen, rejected } = fields;
  if (isChat(chosen) !== isChat(rejected)) failMixed('rejected', rejected, 'chosen', chosen, fail);
  checkNotEmpty('chosen', chosen, fail);
  checkNotEmpty('rejected', rejected, fail);
  if (sameContent(chosen, rejected)) {
    fail('rejected', {
      found: identicalAnswers,
      advice: 'Such a pair has no effect: remove the row, or skip it with --on-bad-row skip',
    });
  }
  if (prompt === null || prompt === undefined) return withSharedPrompt(chosen, rejected, fail);
  if (isChat(chosen) && !isChat(prompt)) {
    // Some public datasets repeat the last question in a plain "prompt" next to two whole chats.
    const shared = sharedMessageCount(chosen, rejected as Message[]);
    const asked = chosen.slice(0, shared).findLast((message) => message.role === 'user');
    if (asked && textOf(asked).trim() === prompt.trim())
      return withSharedPrompt(chosen, rejected, fail);
  }
  return { prompt, chosen, rejected };
};

const withSharedPrompt = (chosen: Content, rejected: Content, fail: Fail): Pair => {
  const length =
    isChat(chosen) && isChat(rejected)
      ? sharedMessageCount(chosen, rejected)
      : sharedTextLength(chosen as string, rejected as string);
  if (length === 0) {
    fail('prompt', {
      expected: 'a prompt, or a common beginning of chosen and rejected',
      found: 'neither',
      advice: 'Add the field "prompt"',
    });
  }
  return {
    prompt: chosen.slice(0, length),
    chosen: chosen.slice(length),
    rejected: rejected.slice(length),
  };
};

const checkAnswer = (field: string, answer: Content, prompt: Content, fail: Fail): void => {
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

const checkAnswers = (answers: readonly Content[], prompt: Content, fail: Fail): void => {
  for (const [index, answer] of answers.entries()) {
    checkAnswer(`completions[${index}]`, answer, prompt, fail);
  }
};

const checkNotEmpty = (field: string, content: Content, fail: Fail): void => {
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
const checkTrained = (field: string, content: Content, fail: Fail): void => {
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
const checkUnmarked = (field: string, content: Content, fail: Fail): void => {
  if (!isChat(content)) return;
  const at = content.findIndex((message) => message.role === 'assistant' && !isTrained(message));
  if (at === -1) return;
  fail(`${field}[${at}]`, {
    expected: 'an answer in which every turn counts',
    found: 'a turn marked as not trained on',
    advice: 'Move the turn into "prompt", or remove the mark',
  });
};

const checkLength = (field: string, list: unknown[], completions: unknown[], fail: Fail): void => {
  if (list.length !== completions.length) {
    fail(field, {
      expected: `one entry for each of the ${completions.length} completions`,
      found: `${list.length}`,
    });
  }
};

const form = (content: Content): string => (isChat(content) ? 'a list of messages' : 'a string');

const failMixed = (field: string, value: Content, other: string, is: Content, fail: Fail): never =>
  fail(field, {
    expected: `${form(is)}, like "${other}"`,
    found: describeValue(value),
    advice: 'Write all texts of a row as plain strings, or all of them as messages',
  });
