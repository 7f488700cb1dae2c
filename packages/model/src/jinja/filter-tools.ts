import { bind, type Parameter } from './arguments.ts';
import { getItem } from './lookup.ts';
import { isText, mapText, type Text, textOf } from './text.ts';
import { isDigit } from './unicode.ts';
import { type Kwargs, Undefined, type Value } from './values.ts';

export type Apply = (args: readonly Value[], kwargs: Kwargs) => Value;

/** A filter with named parameters; `name` is what Python's messages call it. */
export const filter =
  (name: string, parameters: readonly Parameter[], body: (...values: Value[]) => Value): Apply =>
  (args, kwargs) =>
    body(...bind(name, parameters, args, kwargs));

/** Lower case of text; other values as they are. */
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

/** Looks an attribute up in a value, by a path with dots. */
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

/** Looks several attributes up, with commas between them. */
export const attributesGetter = (
  attribute: Value,
  caseSensitive: boolean,
): ((value: Value) => Value[]) => {
  const each: Value[] = isText(attribute) ? textOf(attribute).split(',') : [attribute];
  const getters = each.map((one) => attributeGetter(one, { caseSensitive }));
  return (value) => getters.map((getter) => getter(value));
};

export const asText = (value: Value): Text => value as Text;
