// OpenAI's files for supervised fine-tuning, and requests of its batch interface.
import { isPlainObject } from '@keel/model/exact-json';
import { describeValue } from '../../data/data-error.ts';
import { isEmpty } from '../../data/is-empty.ts';
import type { Example, Fields, Reading, RowFormat } from './example.ts';
import { areMessages, has, listIn, messagesOf, toolsOf, without } from './turns.ts';

/** The object that holds the messages. */
const holder = (row: Fields): Fields => (isPlainObject(row.body) ? row.body : row);

export const openAi: RowFormat = {
  name: 'openai',
  columns: '`messages` of `role` and `content`; `tools`, `weight` of a message, `function_call`',
  recognise(row) {
    if (!areMessages(listIn(holder(row).messages)) || 'chosen' in row) return null;
    return holder(row) === row ? 'the column "messages"' : 'the column "body" with "messages"';
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
    if (held !== row) {
      for (const name of Object.keys(without(held, ['messages', 'tools', 'functions']))) {
        reading.drop(`body.${name}`, 'it is a setting of a request');
      }
    }
    const others = without(row!, ['messages', 'body']);
    const columns = { ...others, ...requestColumns(held, reading) };
    for (const name of settings) delete (columns as Fields)[name];
    delete (columns as Fields).functions;
    const messages = messagesOf(list, 'messages', reading).map(withRefusal);
    return { kind: 'chat', messages, columns };
  },
};

const settings = ['parallel_tool_calls', 'function_call'];

/** The tools of a request; its settings are counted as dropped. */
export function requestColumns(request: Fields, { drop, fail }: Reading): Fields {
  for (const name of settings) {
    if (has(request, name)) drop(name, 'it is a setting of a request');
  }
  const tools = ['tools', 'functions'].flatMap((name): unknown[] => {
    const given = request[name];
    const list = toolsOf(given);
    if (Array.isArray(list)) return list;
    if (isEmpty(given) || (typeof given === 'string' && given.trim() === '')) return [];
    return fail(name, { expected: 'a list of tools', found: describeValue(given) });
  });
  return tools.length > 0 ? { tools } : {};
}

/** Uses the refusal as the content if the content is empty. */
export function withRefusal(message: unknown): unknown {
  if (!isPlainObject(message) || typeof message.refusal !== 'string') return message;
  const { refusal, ...others } = message;
  return { ...others, content: isEmpty(message.content) ? refusal : message.content };
}
