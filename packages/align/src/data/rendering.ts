// What a row tells its chat template beside its messages: the columns "tools" and
// "chat_template_kwargs".

import { isPlainObject, parseExactJson } from '@keel/model/exact-json';
import type { Fail } from './data-error.ts';
import { describeValue } from './data-error.ts';
import { isEmpty, isWellFormed } from './message-fields.ts';

/** What a row's chat template is given beside the messages. */
export interface Rendering {
  /** Descriptions of the tools that the model may call; null without. */
  tools: unknown[] | null;
  /** Variables of the template, such as `enable_thinking`. */
  variables: Record<string, unknown>;
}

/**
 * Variables that the renderer sets itself, and arguments of transformers' apply_chat_template that
 * are no variables.
 */
const reserved: Record<string, string> = {
  messages: 'The messages are those of the row',
  tools: 'Write them in the column "tools"',
  add_generation_prompt: 'Keel sets it: true where an answer follows',
  continue_final_message: 'A prompt that ends with an assistant message is continued without it',
  conversation: 'The messages are those of the row',
  chat_template: 'All rows are rendered by the template of the model',
};
for (const name of [
  ...['tokenize', 'padding', 'truncation', 'max_length', 'return_tensors', 'return_dict'],
  ...['return_assistant_tokens_mask', 'tokenizer_kwargs'],
]) {
  reserved[name] = 'It is an option of the tokenizer and no variable of the template: remove it';
}
for (const name of ['raise_exception', 'strftime_now']) {
  reserved[name] = 'It is a function of every template: choose another name';
}

/**
 * Reads the columns of a row; both may be JSON in text, as CSV and many Parquet files have them.
 * @param row as it was read
 * @param chat whether the row is rendered by a chat template at all
 * @returns null where the columns say nothing
 * @throws DataError for values of another form, and where a plain row has such a column, which
 *   would be dropped
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

/** The columns that say the same: what a row that is written to a file needs. */
export const renderingColumns = (
  rendering: Rendering | undefined,
): { tools?: unknown[]; chat_template_kwargs?: Record<string, unknown> } => {
  if (rendering === undefined) return {};
  const { tools, variables } = rendering;
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
      expected: 'a list of tools, or JSON text of one',
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
      expected: 'an object of template variables, or JSON text of one',
      found: describeValue(value),
    });
  }
  for (const name of Object.keys(variables)) {
    if (!Object.hasOwn(reserved, name)) continue;
    fail(`chat_template_kwargs.${name}`, {
      expected: 'variables of the chat template only',
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
