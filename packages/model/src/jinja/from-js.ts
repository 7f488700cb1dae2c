import { type Origin, Str, tagged } from './text.ts';
import { Dict, List, PyObject, PythonFloat, Undefined, type Value } from './values.ts';

/**
 * A JS value as a template sees it: objects and Maps are dicts, arrays are lists. With an origin all text in it,
 * the keys of its dicts too, is marked as coming from there.
 * @throws TypeError where a value has no form in Python
 */
export const fromJs = (value: unknown, origin: Origin | null = null): Value => {
  switch (typeof value) {
    case 'string':
      return origin === null ? value : tagged(value, origin);
    case 'number':
      // JSON has no negative zero that is an int.
      return Object.is(value, -0) ? new PythonFloat(-0) : value;
    case 'boolean':
      return value;
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : fromObject(value, origin);
    default:
      throw new TypeError(`a ${typeof value} cannot be given to a chat template`);
  }
};

const fromObject = (value: object, origin: Origin | null): Value => {
  if (value instanceof PythonFloat) {
    return Number.isSafeInteger(value.value) ? value : value.value;
  }
  if (value instanceof Str || value instanceof PyObject || value instanceof Undefined) return value;
  if (Array.isArray(value)) {
    return new List(
      value.map((item) => fromJs(item, origin)),
      origin,
    );
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return new Dict(
    entries
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [fromJs(key, origin), fromJs(item, origin)] as const),
    origin,
  );
};
