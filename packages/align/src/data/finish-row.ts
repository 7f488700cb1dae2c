// From fields of the right shape to a row of a kind.
import type { z } from 'zod';
import {
  checkAnswer,
  checkAnswers,
  checkNotEmpty,
  checkTrained,
  checkUnmarked,
  failMixed,
} from './check-answer.ts';
import { describeValue, type Fail } from './data-error.ts';
import { sharedMessageCount, sharedTextLength } from './implicit-prompt.ts';
import { type Content, isChat, type Message, sameContent, textOf } from './messages.ts';
import type { RowKind, RowOf, rowSchemas } from './rows.ts';

/** The kinds whose shape is known before their fields are read. */
export type ShapedKind = Exclude<RowKind, 'supervised' | 'judged'>;
type Fields<K extends ShapedKind> = z.output<(typeof rowSchemas)[K]>;

/** Checks the fields of a row whose shape is right, and converts them to the row of its kind. */
export const finishers: {
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
    for (const name of pairNumbers) {
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
  unpaired: ({ prompt, completion, label: read, label_probability: probability }, fail) => {
    checkAnswer('completion', completion, prompt, fail);
    checkUnmarked('completion', completion, fail);
    const label = Boolean(read);
    if (probability === null || probability === undefined) return { prompt, completion, label };
    if (!label) checkOfTrue(probability, fail);
    return { prompt, completion, label, label_probability: probability };
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

const pairNumbers = ['margin', 'score_chosen', 'score_rejected', 'label_probability'] as const;

/**
 * Next to a label `false`, a large number is most likely meant as the probability of `false`.
 */
const checkOfTrue = (probability: number, fail: Fail): void => {
  if (probability <= 0.5) return;
  const other = Number((1 - probability).toFixed(6));
  fail('label_probability', {
    expected: 'at most 0.5 next to "label": false: it is the probability that true is right',
    found: `${probability}`,
    advice: `If the label false has the probability ${probability}, write ${other}; if the answer is probably good, write "label": true`,
  });
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

const checkLength = (field: string, list: unknown[], completions: unknown[], fail: Fail): void => {
  if (list.length !== completions.length) {
    fail(field, {
      expected: `one entry for each of the ${completions.length} completions`,
      found: `${list.length}`,
    });
  }
};
