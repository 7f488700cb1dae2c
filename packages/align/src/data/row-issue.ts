import type { z } from 'zod';
import { describeValue } from './data-error.ts';
import { contentAdvice, renameAdvice } from './row-forms.ts';
import { type RowKind, rowName } from './rows.ts';

type Issue = z.core.$ZodIssue;

export interface IssueDetails {
  field?: string;
  expected: string;
  found: string;
  advice?: string;
}

/**
 * Converts a schema issue to the details of a DataError. The messages of the schemas say what is
 * expected; what was found is looked up in the value.
 */
export const issueDetails = (issue: Issue, value: unknown, kind: RowKind): IssueDetails => {
  if (issue.path.length === 0) {
    return {
      expected: `an object with the fields of ${rowName(kind)}`,
      found: describeValue(value),
      advice: typeof value === 'string' && isJson(value) ? encodedTwice : undefined,
    };
  }
  const { path, message, advice } = deepest(issue);
  const found = at(value, path);
  const holder = at(value, path.slice(0, -1));
  return {
    field: pathName(path),
    expected: message,
    found: describeValue(found),
    advice: advice ?? adviceFor(path, found, holder, kind),
  };
};

interface Fault {
  path: PropertyKey[];
  message: string;
  advice?: string | undefined;
}

// The branch of a union that got furthest is probably the one that was meant.
const deepest = (issue: Issue): Fault => {
  const { path, message } = issue;
  if (issue.code === 'custom') return { path, message, advice: issue.params?.advice };
  if (issue.code !== 'invalid_union') return { path, message };
  let best: Fault = { path, message };
  for (const branch of issue.errors) {
    if (branch[0] === undefined) continue;
    const inner = deepest(branch[0]);
    const whole = [...path, ...inner.path];
    const sameForm = inner.path.length === 0 && branch[0].code === 'custom';
    if (whole.length > best.path.length || sameForm) best = { ...inner, path: whole };
  }
  return best;
};

const at = (value: unknown, path: PropertyKey[]): unknown => {
  let part = value;
  for (const key of path) part = (part as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return part;
};

const pathName = (path: PropertyKey[]): string =>
  path
    .map((key, index) =>
      typeof key === 'number' ? `[${key}]` : `${index ? '.' : ''}${String(key)}`,
    )
    .join('');

const encodedTwice = 'This is JSON inside a JSON string: the row was encoded twice';

const adviceFor = (
  path: PropertyKey[],
  found: unknown,
  holder: unknown,
  kind: RowKind,
): string | undefined => {
  const field = path.at(-1);
  if ((found === undefined || found === null) && isObject(holder)) {
    if ('from' in holder && 'value' in holder) {
      return 'This is the ShareGPT form: rename "from" to "role" (human is "user", gpt is "assistant") and "value" to "content"';
    }
    const fields = Object.keys(holder);
    if (path.length === 1) {
      const other = otherTrainer(kind, fields);
      if (other !== undefined) return other;
      const renames = renameAdvice(kind, holder as Record<string, unknown>);
      if (renames !== undefined) return renames;
      if (found === null) return undefined;
      const row = rowName(kind);
      return `${row.charAt(0).toUpperCase()}${row.slice(1)} needs it; this row has ${fields.map((name) => `"${name}"`).join(', ') || 'no fields'}`;
    }
  }
  const isNumber =
    typeof found === 'string' && found.trim() !== '' && Number.isFinite(Number(found));
  if (field === 'label' || path[0] === 'labels') {
    if (typeof found === 'string') {
      return /^\s*(true|false|[01](\.0+)?)\s*$/i.test(found)
        ? 'Write true or false without quotes'
        : 'Write true for a good answer and false for a bad one';
    }
    if (typeof found === 'number')
      return 'A score is not a label: choose a threshold, and write true or false';
  } else if (isNumber) {
    return 'Write the number without quotes';
  }
  return holdsContent(path) ? contentAdvice(found) : undefined;
};

const contents = ['prompt', 'completion', 'chosen', 'rejected', 'messages', 'completions'];

/**
 * Whether a text or chat belongs here: in a content field, as an item of "completions", or in place
 * of an invalid message.
 */
const holdsContent = (path: PropertyKey[]): boolean =>
  contents.includes(String(path[0])) && path.length <= 2;

/** The command that trains on rows with these fields, if another kind of row was expected. */
const otherTrainer = (kind: RowKind, fields: readonly string[]): string | undefined => {
  const has = (name: string): boolean => fields.includes(name);
  const pairs = has('chosen') || has('rejected');
  const rankings = has('completions') && !has('labels');
  if (kind === 'preference') {
    if (rankings) {
      return 'These rows are rankings. keel reward trains on them as they are; with keel dpo, use --ranking-pairs all (trains on their pairs) or --loss plackett_luce (trains on whole rankings)';
    }
    if (has('labels') && has('completions')) return 'To train on labelled steps, use keel reward';
    if (has('label') && has('completion')) return 'To train on labelled answers, use keel kto';
    if (has('completion') && !pairs) return 'To imitate answers, use keel sft';
  }
  if (kind === 'unpaired') {
    if (pairs) {
      return 'These rows are pairs. Train on them with keel dpo; for keel kto, write each answer as a separate row: "completion", with "label" true for the chosen one and false for the rejected one';
    }
    if (rankings) {
      return 'These rows are rankings. Train on them with keel dpo --loss plackett_luce; for keel kto, write each answer as a separate row: "completion", with "label" true or false';
    }
  }
  if (kind === 'ranking' && pairs) return 'These rows are pairs: remove --ranking-pairs';
  return undefined;
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isJson = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
};
