import { bind, type Parameter } from './arguments.ts';
import { getItem } from './lookup.ts';
import { isText, mapText, textOf } from './text.ts';
import { isDigit } from './unicode.ts';
import { type Kwargs, Undefined, type Value } from './values.ts';

/** A filter or test. Its first argument is the value it applies to. */
export type Apply = (args: readonly Value[], kwargs: Kwargs) => Value;

/** A filter with named parameters. `name` appears in messages. */
export const filter =
  (name: string, parameters: readonly Parameter[], body: (...values: Value[]) => Value): Apply =>
  (args, kwargs) =>
    body(...bind(name, parameters, args, kwargs));

/** Lower-cases text and returns other values unchanged. */
export const ignoreCase = (value: Value): Value =>
  isText(value) ? mapText(value, (text) => text.toLowerCase()) : value;

const same = (value: Value): Value => value;

const partsOf = (attribute: Value): Value[] => {
  if (attribute === null) return [];
  if (!isText(attribute)) return [attribute];
  return textOf(attribute)
    .split('.')
    .map((part) => (part !== '' && [...part].every(isDigit) ? Number(part) : part));
};

/** Returns a function that looks up a dotted path in a value. */
export const attributeGetter = (
  attribute: Value,
  { fallback = null, caseSensitive = true }: { fallback?: Value; caseSensitive?: boolean } = {},
): ((value: Value) => Value) => {
  const parts = partsOf(attribute);
  const finish = caseSensitive ? same : ignoreCase;
  return (value) => {
    let found = value;
    for (const part of parts) {
      found = getItem(found, part);
      if (fallback !== null && found instanceof Undefined) found = fallback;
    }
    return finish(found);
  };
};

/** Returns a function that looks up several comma-separated paths. */
export const attributesGetter = (
  attribute: Value,
  caseSensitive: boolean,
): ((value: Value) => Value[]) => {
  const each: Value[] = isText(attribute) ? textOf(attribute).split(',') : [attribute];
  const getters = each.map((one) => attributeGetter(one, { caseSensitive }));
  return (value) => getters.map((getter) => getter(value));
};
