import { isPlainObject, plainNumbers, setField } from '@keel/model/exact-json';
import { checkAnswerForms, hasCompletions, hasPair, hasSteps } from './answer-forms.ts';
import { DataError, describeValue, type Fail, type Place } from './data-error.ts';
import { finishers, type ShapedKind } from './finish-row.ts';
import { checkColumns } from './known-columns.ts';
import { type Content, inOrderOf, isChat, type Message } from './messages.ts';
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
  if (kind !== 'text') checkColumns(read, shapes.get(kind)!, fail);
  const rendering = readRendering(read, isChat(row.messages ?? row.prompt ?? ''), fail);
  return { ...row, extra, ...(rendering !== null && { rendering }) } as unknown as RowOf[K];
};

/** The fields of each kind. */
const shapes: ReadonlyMap<RowKind, ReadonlySet<string>> = new Map(
  rowKinds.map((kind) => [kind, new Set(Object.keys(rowSchemas[kind].shape))]),
);

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
const numericFields = new Set([
  ...['margin', 'score_chosen', 'score_rejected', 'scores', 'label_probability'],
]);

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
