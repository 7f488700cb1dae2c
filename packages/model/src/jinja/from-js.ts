import { fieldNames } from '../json/exact-json.ts';
import { type Origin, Str, tagged } from './text.ts';
import { Dict, List, PyObject, PythonFloat, Undefined, type Value } from './values.ts';

/**
 * Converts a JS value to a template's value: objects and Maps become dicts, arrays become lists.
 * All text in it, including the keys of dicts, is tagged with the origin.
 * @throws TypeError if a value has no equivalent in Python
 */
export const fromJs = (value: unknown, origin: Origin | null = null): Value => {
  switch (typeof value) {
    case 'string':
      return origin === null ? value : tagged(value, origin);
    case 'number':
      // Python's only negative zero is a float.
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
      throw new TypeError(`a ${typeof value} cannot be passed to a chat template`);
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
  const entries =
    value instanceof Map
      ? [...value]
      : fieldNames(value).map((name) => [name, (value as Record<string, unknown>)[name]] as const);
  return new Dict(
    entries
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [fromJs(key, origin), fromJs(item, origin)] as const),
    origin,
  );
};
