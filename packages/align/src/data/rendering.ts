// The inputs of a row's chat template other than the messages: the columns "tools" and
// "chat_template_kwargs".

import { isPlainObject, parseExactJson } from '@keel/model/exact-json';
import type { Fail } from './data-error.ts';
import { describeValue } from './data-error.ts';
import { isEmpty } from './is-empty.ts';
import { isWellFormed } from './well-formed.ts';

/** What a row's chat template receives in addition to the messages. */
export interface Rendering {
  /** Descriptions of the tools that the model may call, or null. */
  tools: unknown[] | null;
  /** Variables of the template, such as `enable_thinking`. */
  variables: Record<string, unknown>;
}

/**
 * Variables that the renderer sets itself, and arguments of transformers' apply_chat_template that
 * are not variables.
 */
const reserved: Record<string, string> = {
  messages: "Keel sets it to the row's messages: remove it",
  tools: 'Write them in the column "tools"',
  add_generation_prompt: 'Keel sets it (true if an answer follows): remove it',
  continue_final_message: 'Keel continues a final assistant message without it: remove it',
  conversation: "Keel passes the row's messages: remove it",
  chat_template: "All rows are rendered with the model's template: remove it",
};
for (const name of [
  ...['tokenize', 'padding', 'truncation', 'max_length', 'return_tensors', 'return_dict'],
  ...['return_assistant_tokens_mask', 'tokenizer_kwargs'],
]) {
  reserved[name] = 'It is an option of the tokenizer, not a variable of the template: remove it';
}
for (const name of ['raise_exception', 'strftime_now']) {
  reserved[name] = 'It is a function that every template has: choose another name';
}

/**
 * Reads both columns of a row. Each may be JSON text, as in CSV and many Parquet files.
 * @param row as read from the file
 * @param chat whether a chat template renders the row
 * @returns null if both columns are empty
 * @throws DataError for invalid values, and for a plain row with such a column, which would be
 *   dropped
 */
export const readRendering = (
  row: Readonly<Record<string, unknown>>,
  chat: boolean,
  fail: Fail,
): Rendering | null => {
  const tools = readTools(row.tools, fail);
  const variables = readVariables(row.chat_template_kwargs, fail);
  if (tools === null && variables === null) return null;
  if (!chat) {
    fail(tools !== null ? 'tools' : 'chat_template_kwargs', {
      expected: 'a chat, whose template uses this field',
      found: 'a row of plain text',
      advice: 'Write the row as messages, or remove the field',
    });
  }
  return { tools, variables: variables ?? {} };
};

/**
 * The inverse of {@link readRendering}: the columns for a row that is written to a file.
 * @param template that rendered the row, with its own variables (`--chat-template-kwargs`)
 */
export const renderingColumns = (
  { tools, variables: own }: Rendering = { tools: null, variables: {} },
  template: { variables: Readonly<Record<string, unknown>> } | null = null,
): { tools?: unknown[]; chat_template_kwargs?: Record<string, unknown> } => {
  const variables = { ...template?.variables, ...own };
  return {
    ...(tools !== null && { tools }),
    ...(Object.keys(variables).length > 0 && { chat_template_kwargs: variables }),
  };
};

const readTools = (value: unknown, fail: Fail): unknown[] | null => {
  if (isEmpty(value) || isBlank(value)) return null;
  const tools = jsonIn(value);
  if (!Array.isArray(tools)) {
    return fail('tools', {
      expected: 'a list of tools, or such a list as JSON text',
      found: describeValue(value),
      advice: isPlainObject(tools) ? 'Put the tool in a list: [{…}]' : undefined,
    });
  }
  for (const [index, tool] of tools.entries()) {
    if (isPlainObject(tool)) continue;
    fail(`tools[${index}]`, {
      expected: 'a tool {"type": "function", "function": {"name": …, "parameters": {…}}}',
      found: describeValue(tool),
    });
  }
  checkText('tools', tools, fail);
  return tools.length === 0 ? null : tools;
};

const readVariables = (value: unknown, fail: Fail): Record<string, unknown> | null => {
  if (isEmpty(value) || isBlank(value)) return null;
  const variables = jsonIn(value);
  if (!isPlainObject(variables)) {
    return fail('chat_template_kwargs', {
      expected: 'an object of template variables, or such an object as JSON text',
      found: describeValue(value),
    });
  }
  for (const name of Object.keys(variables)) {
    if (!Object.hasOwn(reserved, name)) continue;
    fail(`chat_template_kwargs.${name}`, {
      expected: 'only variables of the chat template',
      found: `"${name}"`,
      advice: reserved[name],
    });
  }
  checkText('chat_template_kwargs', variables, fail);
  return Object.keys(variables).length === 0 ? null : variables;
};

const checkText = (field: string, value: unknown, fail: Fail): void => {
  if (isWellFormed(value)) return;
  fail(field, { expected: 'valid Unicode text', found: 'a lone surrogate such as \\ud83d' });
};

const isBlank = (value: unknown): boolean => typeof value === 'string' && value.trim() === '';

const jsonIn = (value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  try {
    return parseExactJson(value);
  } catch {
    return value;
  }
};
