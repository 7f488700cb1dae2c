// Checks the tool calls of an assistant message and converts them to the form that chat templates
// expect.
import { isPlainObject, parseExactJson } from '@keel/model/exact-json';

/** Reports what is wrong with a part of the tool calls. */
export type ReportFault = (path: PropertyKey[], expected: string, advice?: string) => void;

/**
 * The calls with their arguments as objects. JSON text of an object, as in OpenAI's files, becomes
 * that object. Absent, null or empty arguments become {} (vLLM does the same before it renders a
 * template).
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
    if (typeof call.name === 'string') return readFunction(call, [], report);
    report(['function'], `{"name": …, "arguments": {…}}`, `A tool call is ${form}`);
    return call;
  }
  if (!isPlainObject(called)) {
    report(['function'], `{"name": …, "arguments": {…}}`, `A tool call is ${form}`);
    return call;
  }
  return { ...call, function: readFunction(called, ['function'], report) };
};

const readFunction = (
  called: Record<string, unknown>,
  path: PropertyKey[],
  report: ReportFault,
): Record<string, unknown> => {
  if (typeof called.name !== 'string' || called.name === '') {
    report([...path, 'name'], 'the name of a function');
  }
  const { arguments: given } = called;
  const args = readArguments(given);
  if (args === null) {
    report([...path, 'arguments'], 'an object of arguments, or such an object as JSON text');
    return called;
  }
  return { ...called, arguments: args };
};

const readArguments = (given: unknown): Record<string, unknown> | null => {
  if (given === undefined || given === null) return {};
  if (typeof given !== 'string') return isPlainObject(given) ? given : null;
  if (given.trim() === '') return {};
  try {
    const parsed = parseExactJson(given);
    return isPlainObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
};
