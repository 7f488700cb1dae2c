// JSON with numbers exactly as written, and fields in the order of the text. JSON.parse alone reads
// 20.0 as 20 and 18446744073709551617 as 18446744073709552000, and puts a field "2024" before
// others.
import { PythonFloat } from './python-float.ts';

export { PythonFloat };

/** A number in JSON that no value can hold. */
export class JsonNumberError extends Error {
  /** The number as written. */
  readonly source: string;
  /** The field that contains it, or its index in a list. */
  readonly key: string;

  constructor(source: string, key: string) {
    super(`the number ${source} is too large for a double`);
    this.name = 'JsonNumberError';
    this.source = source;
    this.key = key;
  }
}

/**
 * Whether a text may hold a number that JSON.parse alone gets wrong: 16 or more digits, only zeros
 * after the point, an exponent, or -0. Text inside strings may match too, which only costs time:
 * most rows match nothing and are parsed at JSON.parse's own speed.
 */
const unusualNumber = /\d(?:[eE]|\.0+(?!\d)|[\d.]{15})|-0(?![\d.])/;

/** Whether a text may hold an object with a field that JavaScript would put before the others. */
const numberedField = /"(?:\d|\\u003\d)+"\s*:/;

/**
 * Parses JSON. Integers are numbers, or bigint if a number would lose digits. Floats are numbers,
 * or {@link PythonFloat} if their value is whole. {@link fieldNames} gives the fields of an object
 * in the order of the text.
 * @throws SyntaxError as JSON.parse does
 * @throws JsonNumberError for a number beyond the range of a double
 */
export const parseExactJson = (text: string): unknown => {
  if (numberedField.test(text)) return parseInOrder(text);
  return unusualNumber.test(text) ? JSON.parse(text, exactNumber as Reviver) : JSON.parse(text);
};

/**
 * Parses with "_" before each field's name: a name that is no number stays where the text has it.
 */
const parseInOrder = (text: string): unknown => {
  // Faults are those of the text itself.
  JSON.parse(text);
  const named = text.replaceAll(/"([^"\\]*(?:\\.[^"\\]*)*"\s*:?)/g, (written, rest: string) =>
    rest.endsWith(':') ? `"_${rest}` : written,
  );
  return JSON.parse(named, function (this: unknown, key: string, value: unknown, context: object) {
    const exact = exactNumber(Array.isArray(this) ? key : key.slice(1), value, context);
    return isPlainObject(exact) ? withoutPrefix(exact) : exact;
  } as Reviver);
};

const withoutPrefix = (fields: Record<string, unknown>): object => {
  const names = Object.keys(fields).map((name) => name.slice(1));
  const found = {};
  for (const name of names) setField(found, name, fields[`_${name}`]);
  return inOrder(found, names);
};

/**
 * Names the fields of an object whose order JavaScript would change. It is enumerable, so that a
 * copy by spreading has it too.
 */
const order = Symbol('order of fields');

/** Makes {@link fieldNames} give the fields of an object in this order. */
export const inOrder = <T extends object>(fields: T, names: readonly string[]): T => {
  const own = Object.keys(fields);
  return own.every((name, index) => name === names[index])
    ? fields
    : Object.assign(fields, { [order]: names });
};

/** Names of the fields of an object in the order of the JSON that it was read from. */
export const fieldNames = (fields: object): string[] => {
  const names = (fields as { [order]?: readonly string[] })[order];
  const own = Object.keys(fields);
  return names === undefined
    ? own
    : [...new Set([...names, ...own])].filter((name) => Object.hasOwn(fields, name));
};

/** Whether {@link fieldNames} gives another order than JavaScript has. */
export const hasOwnOrder = (fields: object): boolean => Object.hasOwn(fields, order);

/** The texts of objects that a file has as JSON text. */
const texts = new WeakMap<object, string>();

/** Records the JSON text that an object was read from, where a file has text in its place. */
export const withJsonText = <T extends object>(fields: T, text: string): T => {
  texts.set(fields, text);
  return fields;
};

/** The text that {@link withJsonText} recorded; undefined for an object that a file has as such. */
export const jsonTextOf = (fields: object): string | undefined => texts.get(fields);

type Reviver = (this: unknown, key: string, value: unknown) => unknown;

const exactNumber = (
  key: string,
  value: unknown,
  { source = '' }: { source?: string },
): unknown => {
  if (typeof value !== 'number') return value;
  if (/^-?\d+$/.test(source)) {
    if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
    return BigInt(source);
  }
  if (!Number.isFinite(value)) throw new JsonNumberError(source, key);
  return Number.isInteger(value) ? new PythonFloat(value) : value;
};

/**
 * The same value with plain numbers instead of whole floats, for programs that support only JSON's
 * numbers.
 */
export const plainNumbers = <T>(value: T): T => plain(value) as T;

const plain = (value: unknown): unknown => {
  if (value instanceof PythonFloat) return value.value;
  if (Array.isArray(value)) {
    const copy = value.map(plain);
    return copy.some((part, index) => part !== value[index]) ? copy : value;
  }
  if (!isPlainObject(value)) return value;
  let copy: Record<string, unknown> | null = null;
  for (const name of Object.keys(value)) {
    const part = plain(value[name]);
    if (Object.is(part, value[name])) continue;
    copy ??= { ...value };
    setField(copy, name, part);
  }
  return copy ?? value;
};

/** Whether a value is an object in JSON's sense. */
export const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** Sets a field of any name, even "__proto__", which an assignment would not create. */
export const setField = (target: object, name: string, value: unknown): void => {
  if (name === '__proto__') {
    Object.defineProperty(target, name, {
      ...{ value, writable: true, enumerable: true, configurable: true },
    });
  } else {
    (target as Record<string, unknown>)[name] = value;
  }
};

/**
 * JSON of a value, with all digits of a bigint, with ".0" after a whole float and with the fields
 * of an object in their own order: {@link parseExactJson} reads it back.
 */
export const exactJson = (value: unknown): string => {
  let isOrdered = false;
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key, part) {
    isOrdered ||= typeof part === 'object' && part !== null && hasOwnOrder(part);
    return rawNumber.call(this, key, part);
  });
  return isOrdered ? jsonInOrder(value) : text;
};

const jsonInOrder = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(jsonInOrder).join(',')}]`;
  if (!isPlainObject(value)) return JSON.stringify([value], rawNumber).slice(1, -1);
  const fields = fieldNames(value).filter((name) => value[name] !== undefined);
  return `{${fields.map((name) => `${JSON.stringify(name)}:${jsonInOrder(value[name])}`).join(',')}}`;
};

function rawNumber(this: Record<string, unknown>, key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return rawJson(`${value}`);
  // `value` is the result of its toJSON.
  const own = this[key];
  return own instanceof PythonFloat ? rawJson(floatText(own.value)) : value;
}

/** The same value for programs that use JSON.stringify, which then gives {@link exactJson}. */
export const asWritten = (value: unknown): unknown => {
  if (typeof value === 'bigint' || value instanceof PythonFloat) return rawJson(exactJson(value));
  if (Array.isArray(value)) return value.map(asWritten);
  if (!isPlainObject(value)) return value;
  const names = Object.keys(value);
  const copy = {};
  for (const name of names) setField(copy, name, asWritten(value[name]));
  return copy;
};

const floatText = (value: number): string => {
  if (Object.is(value, -0)) return '-0.0';
  const text = `${value}`;
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
};

// TypeScript's library does not know it yet.
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
