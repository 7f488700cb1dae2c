// Calls and descriptions of tools in the forms of other tools.
import { isPlainObject } from '@keel/model/exact-json';
import { describeValue } from '../../data/data-error.ts';
import { isEmpty } from '../../data/is-empty.ts';
import { withArguments } from '../../data/tool-calls.ts';
import type { Fields, Reading } from './example.ts';
import { jsonIn } from './json-text.ts';

/**
 * One call or several, as objects or as JSON text: `{"name", "arguments"}`, or in OpenAI's form.
 * Other fields of a call are preserved, and the row's check reports them.
 */
export function callsOf(value: unknown, field: string, fail: Reading['fail']): unknown[] {
  const parsed = jsonIn(value);
  const calls = Array.isArray(parsed) ? parsed : [parsed];
  if (calls.length === 0) {
    return fail(field, { expected: 'at least one call', found: describeValue(value) });
  }
  return calls.map((one) => {
    const { function: called, ...outer } = isPlainObject(one) ? (one as Fields) : {};
    const type = isEmpty(outer.type) ? 'function' : outer.type;
    if (isPlainObject(called)) return { ...outer, type, function: readCall(called) };
    if (!isPlainObject(one) || typeof one.name !== 'string') {
      return fail(field, {
        expected: 'a call {"name": …, "arguments": {…}}, or such a call as JSON text',
        found: describeValue(one),
      });
    }
    const { id, type: _, index: __, ...named } = outer;
    const own = id === undefined ? {} : { id };
    return { ...own, type, function: readCall(named) };
  });
}

/** A function with its arguments; the row's check reports arguments in two fields. */
function readCall(called: Fields): Fields {
  const renamed = withArguments(called);
  if (renamed === null || !('arguments' in renamed)) return called;
  return { ...renamed, arguments: jsonIn(renamed.arguments) };
}

/**
 * Tools in the form that chat templates expect; a single one is put in a list. A bare description
 * is wrapped in `{"type": "function", "function": …}`.
 */
export function toolsOf(value: unknown): unknown {
  const read = jsonIn(value);
  const one = isPlainObject(read) && ('name' in read || 'function' in read);
  const tools = one ? [read] : read;
  if (!Array.isArray(tools)) return value;
  return tools.map((tool) =>
    isPlainObject(tool) && typeof tool.name === 'string' && tool.function === undefined
      ? { type: 'function', function: withoutType(tool) }
      : tool,
  );
}

const withoutType = ({ type: _, ...description }: Fields): Fields => description;
