// Checks the tool calls of an assistant message and converts them to the form that chat templates
// expect.
import { isPlainObject, jsonTextOf, parseExactJson, withJsonText } from '@keel/model/exact-json';
import { isEmpty } from './is-empty.ts';
import { isWellFormed, NOT_WELL_FORMED } from './well-formed.ts';

/** Reports what is wrong with a part of the tool calls. */
export type ReportFault = (path: PropertyKey[], expected: string, advice?: string) => void;

/**
 * The calls with their arguments as objects. JSON text of an object, as in OpenAI's files, becomes
 * that object, for which {@link asJsonText} gives the text. Absent, null or empty arguments become
 * {} (vLLM does the same before it renders a template). Llama's `parameters` become `arguments`.
 * Fields that no template shows are refused unless they are empty.
 * @returns null if nothing is called: the field is null or an empty list
 */
export const readToolCalls = (value: unknown, report: ReportFault): unknown[] | null => {
  if (value === null || value === undefined) return null;
  if (!Array.isArray(value)) {
    const advice = typeof value === 'string' ? 'Write the list itself, not JSON text' : undefined;
    report([], 'a list of tool calls', advice);
    return null;
  }
  if (value.length === 0) return null;
  return value.map((call, index) =>
    readCall(call, (path, ...rest) => report([index, ...path], ...rest)),
  );
};

const form = '{"type": "function", "function": {"name": …, "arguments": {…}}}';

const readCall = (call: unknown, report: ReportFault): unknown => {
  if (!isPlainObject(call)) {
    report([], `a tool call ${form}`);
    return call;
  }
  if (call.type !== undefined && call.type !== null && call.type !== 'function') {
    report(['type'], 'the tool call type "function"');
    return call;
  }
  const { function: called } = call;
  if (called === undefined || called === null) {
    if (typeof call.name === 'string') {
      refuseOthers(call, [...callFields, ...functionFields, 'function', 'parameters'], [], report);
      return readFunction(call, [], report);
    }
    report(['function'], `{"name": …, "arguments": {…}}`, `A tool call is ${form}`);
    return call;
  }
  if (!isPlainObject(called)) {
    report(['function'], `{"name": …, "arguments": {…}}`, `A tool call is ${form}`);
    return call;
  }
  const repeated = call.name === called.name ? ['name'] : [];
  refuseOthers(call, [...callFields, 'function', ...repeated], [], report);
  refuseOthers(called, [...functionFields, 'parameters'], ['function'], report);
  return { ...call, function: readFunction(called, ['function'], report) };
};

/** Fields that identify a call. */
const callFields = ['id', 'type', 'index', 'call_id', 'tool_call_id'];
const functionFields = ['name', 'arguments'];

/** Names of other tools for the arguments, and where a call has them. */
const otherArguments = ['arguments', 'args', 'kwargs', 'input', 'inputs', 'params', 'parameters'];

/** Reports fields that are not empty and have no meaning in a call. */
const refuseOthers = (
  part: Readonly<Record<string, unknown>>,
  known: readonly string[],
  path: PropertyKey[],
  report: ReportFault,
): void => {
  for (const [name, value] of Object.entries(part)) {
    if (known.includes(name) || isNothing(value)) continue;
    const advice = otherArguments.includes(name)
      ? 'Write the arguments of a call as "arguments", next to the name of its function'
      : 'Remove the field, or put it into the arguments';
    report([...path, name], `only the fields of a tool call ${form}`, advice);
    return;
  }
};

const isNothing = (value: unknown): boolean =>
  isEmpty(value) || (isPlainObject(value) && Object.keys(value).length === 0);

const readFunction = (
  called: Record<string, unknown>,
  path: PropertyKey[],
  report: ReportFault,
): Record<string, unknown> => {
  if (typeof called.name !== 'string' || called.name === '') {
    report([...path, 'name'], 'the name of a function');
  }
  const renamed = withArguments(called);
  if (renamed === null) {
    const advice = 'Remove one of "arguments" and "parameters"';
    report([...path, 'parameters'], 'arguments in one field', advice);
    return called;
  }
  const args = readArguments(renamed.arguments);
  if (args === null) {
    const name = renamed === called ? 'arguments' : 'parameters';
    report([...path, name], 'an object of arguments, or such an object as JSON text');
    return called;
  }
  // In JSON text, an escape is a lone surrogate only once it is decoded.
  if (!isWellFormed(args)) {
    const name = renamed === called ? 'arguments' : 'parameters';
    report([...path, name], NOT_WELL_FORMED);
    return called;
  }
  return { ...renamed, arguments: args };
};

/**
 * A function with Llama's `parameters` in the place of `arguments`, if it has none.
 * @returns null if both have a value
 */
export const withArguments = (
  called: Readonly<Record<string, unknown>>,
): Record<string, unknown> | null => {
  if (isNothing(called.parameters)) return called;
  if (!isNothing(called.arguments)) return null;
  return Object.fromEntries(
    Object.entries(called)
      .filter(([name]) => name !== 'arguments')
      .map(([name, value]) => [name === 'parameters' ? 'arguments' : name, value]),
  );
};

const readArguments = (given: unknown): Record<string, unknown> | null => {
  const absent = given === undefined || given === null;
  // A template that writes text as it is would write nothing in the place of an object.
  if (absent || (typeof given === 'string' && given.trim() === '')) return withJsonText({}, '{}');
  if (typeof given !== 'string') return isPlainObject(given) ? given : null;
  try {
    const parsed = parseExactJson(given);
    return isPlainObject(parsed) ? withJsonText(parsed, given) : null;
  } catch {
    return null;
  }
};

/** The arguments of all calls of a message, in order. */
export const argumentsOf = (message: Readonly<Record<string, unknown>>): object[] =>
  callsOf(message).flatMap((call) => {
    const args = functionOf(call).arguments;
    return isPlainObject(args) ? [args] : [];
  });

/**
 * The message with arguments as JSON text where the file has text.
 * @param textOf the text of arguments; undefined where they stay an object
 */
export const asJsonText = <M extends Readonly<Record<string, unknown>>>(
  message: M,
  textOf: (args: object) => string | undefined = jsonTextOf,
): M => {
  const calls = callsOf(message);
  if (calls.length === 0) return message;
  return {
    ...message,
    tool_calls: calls.map((call) => {
      const called = functionOf(call);
      const args = called.arguments;
      const text = isPlainObject(args) ? textOf(args) : undefined;
      if (text === undefined) return call;
      const written = { ...called, arguments: text };
      return called === call ? written : { ...call, function: written };
    }),
  };
};

/** The message with other names of the called functions. */
export const withNames = <M extends Readonly<Record<string, unknown>>>(
  message: M,
  nameOf: (index: number) => string,
): M => ({
  ...message,
  tool_calls: callsOf(message).map((call, index) => {
    const called = { ...functionOf(call), name: nameOf(index) };
    return functionOf(call) === call ? called : { ...call, function: called };
  }),
});

export const callsOf = ({ tool_calls: calls }: Readonly<Record<string, unknown>>) =>
  Array.isArray(calls) ? calls.filter(isPlainObject) : [];

const functionOf = (call: Record<string, unknown>): Record<string, unknown> =>
  isPlainObject(call.function) ? call.function : call;
