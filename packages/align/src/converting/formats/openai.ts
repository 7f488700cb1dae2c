// OpenAI's files for supervised fine-tuning, and requests of its batch interface.
import { isDeepStrictEqual } from 'node:util';
import { isPlainObject } from '@keel/model/exact-json';
import { describeValue } from '../../data/data-error.ts';
import { isEmpty } from '../../data/is-empty.ts';
import { lookalikes, plainName } from '../../data/plain-name.ts';
import type { Example, Fields, Reading, RowFormat } from './example.ts';
import { areMessages, has, isBlank, jsonIn, listIn, messagesOf, toolsOf } from './turns.ts';

/** The object that holds the messages. */
function holder(row: Fields): Fields {
  const body = jsonIn(row.body);
  return isPlainObject(body) && 'messages' in body ? body : row;
}

export const openAi: RowFormat = {
  name: 'openai',
  columns: '`messages` of `role` and `content`; `tools`, `weight` of a message, `function_call`',
  reads: ['messages', 'tools', 'functions'],
  recognise(row) {
    const held = holder(row);
    if (!areMessages(listIn(held.messages)) || 'chosen' in row) return null;
    return held === row ? 'the column "messages"' : 'the column "body" with "messages"';
  },
  convert([row], reading): Example {
    const held = holder(row!);
    const list = listIn(held.messages);
    if (list === null || list.length === 0) {
      return reading.fail('messages', {
        expected: 'a list of messages',
        found: describeValue(held.messages),
      });
    }
    const columns = { ...row };
    if (held === row) for (const name of ['messages', ...requestFields]) delete columns[name];
    else {
      delete columns.body;
      dropOthers(held, 'body', reading);
    }
    const messages = messagesOf(list, 'messages', reading).map(withRefusal);
    return { kind: 'chat', messages, columns: withRequest(columns, held, reading) };
  },
};

/** Columns of Keel that a request has too. */
const rendered = ['tools', 'chat_template_kwargs'];
const settings = ['parallel_tool_calls', 'function_call'];
const requestFields = [...rendered, 'functions', ...settings];

const fieldLike = lookalikes(['messages', ...requestFields]);

/**
 * Counts the settings of a request that is an object in a column.
 * @throws DataError for instructions, which are part of the prompt
 */
export function dropOthers(request: Fields, column: string, { drop, fail }: Reading): void {
  for (const [name, value] of Object.entries(request)) {
    if (['messages', ...requestFields].includes(name) || isEmpty(value)) continue;
    const known = fieldLike(name);
    if (known !== undefined) {
      fail(`${column}.${name}`, {
        expected: `the field "${known}"`,
        found: describeValue(value),
        advice: `Rename it to "${known}", or remove it`,
      });
    }
    if (['system', 'instructions', 'prompt', 'input'].includes(plainName(name))) {
      fail(`${column}.${name}`, {
        expected: 'the whole prompt in "messages"',
        found: describeValue(value),
        advice: 'Write it as messages, or remove the field',
      });
    }
    drop(`${column}.${name}`, 'it is a setting of a request');
  }
}

/**
 * The columns with the tools and template variables of a request; its settings are counted.
 * @throws DataError for tools or variables that the columns have with another value
 */
export function withRequest(columns: Fields, request: Fields, { drop, fail }: Reading): Fields {
  for (const name of settings) {
    if (has(request, name)) drop(name, 'it is a setting of a request');
  }
  const listed = ['tools', 'functions'].flatMap((name): unknown[] => {
    const given = request[name];
    const list = toolsOf(given);
    if (Array.isArray(list)) return list;
    if (isBlank(given)) return [];
    return fail(name, { expected: 'a list of tools', found: describeValue(given) });
  });
  // Requests for old and new servers list each tool in both fields.
  const tools = listed.filter(
    (tool, at) => listed.findIndex((other) => isDeepStrictEqual(other, tool)) === at,
  );
  const found: Fields = {
    ...(tools.length > 0 && { tools }),
    ...(!isBlank(request.chat_template_kwargs) && {
      chat_template_kwargs: request.chat_template_kwargs,
    }),
  };
  for (const name of rendered) {
    if (found[name] === undefined || isBlank(columns[name])) continue;
    const own = name === 'tools' ? toolsOf(columns.tools) : jsonIn(columns[name]);
    if (isDeepStrictEqual(own, jsonIn(found[name]))) continue;
    fail(name, {
      expected: `the same ${name} as in the request, or none`,
      found: describeValue(columns[name]),
      advice: 'Keep one of the two',
    });
  }
  return { ...columns, ...found };
}

/** Uses the refusal as empty content; the row's check reports a message with both. */
export function withRefusal(message: unknown): unknown {
  if (!isPlainObject(message) || typeof message.refusal !== 'string') return message;
  const { refusal, ...others } = message;
  if (isBlank(refusal)) return others;
  return isBlank(message.content) ? { ...others, content: refusal } : message;
}
