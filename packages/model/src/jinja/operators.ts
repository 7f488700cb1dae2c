// Truth, equality, order, iteration, length and membership of values.
import { compareText, pointCount } from './code-points.ts';
import { typeError } from './errors.ts';
import { spend } from './limits.ts';
import { compareNumbers, isNumber } from './numbers.ts';
import { viewItems } from './repr.ts';
import { isText, sliceText, type Text, textOf } from './text.ts';
import {
  Dict,
  DictView,
  isFloat,
  isInt,
  List,
  PyIterator,
  PyObject,
  PythonFloat,
  Range,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

/** An object with a length, such as `loop`. */
interface Sized {
  length(): number;
}

export const truthy = (value: Value): boolean => {
  if (typeof value === 'boolean') return value;
  if (value === null || value instanceof Undefined) return false;
  if (isText(value)) return textOf(value) !== '';
  if (value instanceof PythonFloat) return value.value !== 0;
  if (typeof value === 'number') return value !== 0;
  if (typeof value === 'bigint') return true;
  const length = lengthOf(value);
  return length === undefined || length > 0;
};

/** len(value), or undefined if it has none. */
export const lengthOf = (value: Value): number | undefined => {
  if (isText(value)) return pointCount(textOf(value));
  if (value instanceof List || value instanceof Tuple) return value.items.length;
  if (value instanceof Dict) return value.size;
  if (value instanceof DictView) return value.dict.size;
  if (value instanceof Range) return value.length;
  if (value instanceof Undefined) return 0;
  if (value instanceof PyObject && 'length' in value) return (value as unknown as Sized).length();
  return undefined;
};

/** len(value). @throws PythonError if it has none */
export const len = (value: Value): number => {
  const length = lengthOf(value);
  if (length === undefined) throw typeError(`object of type '${typeName(value)}' has no len()`);
  return length;
};

/** The values of an iterable, or undefined if it is not one. */
export const tryIterate = (value: Value): Iterable<Value> | undefined => {
  if (value instanceof List || value instanceof Tuple) return value.items;
  if (isText(value)) return characters(value);
  if (value instanceof Dict) return keysOf(value);
  if (value instanceof DictView) return viewItems(value);
  if (value instanceof Range) return numbersOf(value);
  if (value instanceof PyIterator) return value;
  if (value instanceof Undefined) return [];
  return undefined;
};

/** Maximum number of values in an iterable, if known without iterating. */
const sizeOf = (value: Value): number => {
  if (isText(value)) return textOf(value).length;
  if (value instanceof PyIterator) return 0;
  return lengthOf(value) ?? 0;
};

/** iter(value). @throws PythonError if it is not iterable */
export const iterate = (value: Value): Iterable<Value> => {
  const values = tryIterate(value);
  if (values === undefined) throw typeError(`'${typeName(value)}' object is not iterable`);
  spend(1 + (sizeOf(value) >>> 4));
  return values;
};

export function* characters(text: Text): Generator<Text> {
  if (typeof text === 'string') {
    yield* text;
    return;
  }
  let at = 0;
  for (const character of text.text) {
    yield sliceText(text, at, at + character.length);
    at += character.length;
  }
}

function* keysOf(dict: Dict): Generator<Value> {
  for (const [key] of dict.entries()) yield key;
}

function* numbersOf(range: Range): Generator<Value> {
  for (let index = 0; index < range.length; index++) yield range.at(index);
}

export const equals = (a: Value, b: Value): boolean => {
  spend(1);
  if (a === b) return typeof a !== 'number' || !Number.isNaN(a);
  if (isText(a)) return isText(b) && textOf(a) === textOf(b);
  if (isNumber(a)) return isNumber(b) && compareNumbers(a, b) === 0;
  if (a instanceof List) return b instanceof List && sameItems(a.items, b.items);
  if (a instanceof Tuple) return b instanceof Tuple && sameItems(a.items, b.items);
  if (a instanceof Dict) return b instanceof Dict && sameDicts(a, b);
  if (a instanceof Undefined) return b instanceof Undefined;
  if (a instanceof Range && b instanceof Range) {
    return sameItems([...numbersOf(a)], [...numbersOf(b)]);
  }
  if (a instanceof DictView && b instanceof DictView) return sameViews(a, b);
  return false;
};

const sameItems = (a: readonly Value[], b: readonly Value[]): boolean =>
  a.length === b.length && a.every((item, index) => equals(item, b[index]!));

const sameDicts = (a: Dict, b: Dict): boolean => {
  if (a.size !== b.size) return false;
  for (const [key, value] of a.entries()) {
    const other = b.get(key);
    if (other === undefined || !equals(value, other)) return false;
  }
  return true;
};

const sameViews = (a: DictView, b: DictView): boolean => {
  if (a.kind === 'values' || b.kind === 'values' || a.dict.size !== b.dict.size) return false;
  const others = viewItems(b);
  return viewItems(a).every((item) => others.some((other) => equals(item, other)));
};

export type Order = '<' | '<=' | '>' | '>=';

const orders: Record<Order, (order: number) => boolean> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** a < b and the like. @throws PythonError if they have no order */
export const compare = (operator: Order, a: Value, b: Value): boolean => {
  if (isNumber(a) && isNumber(b)) return orders[operator](compareNumbers(a, b));
  if (isText(a) && isText(b)) return orders[operator](compareText(textOf(a), textOf(b)));
  if (a instanceof List && b instanceof List) return compareItems(operator, a.items, b.items);
  if (a instanceof Tuple && b instanceof Tuple) return compareItems(operator, a.items, b.items);
  if (a instanceof Undefined) throw a.error();
  if (b instanceof Undefined) throw b.error();
  if (a instanceof DictView && b instanceof DictView) {
    const [small, large] = operator.startsWith('<') ? [a, b] : [b, a];
    if (small.kind !== 'values' && large.kind !== 'values') return isSubset(operator, small, large);
  }
  throw typeError(
    `'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  );
};

const isSubset = (operator: Order, small: DictView, large: DictView): boolean => {
  if (!operator.endsWith('=') && small.dict.size >= large.dict.size) return false;
  const others = viewItems(large);
  return viewItems(small).every((item) => others.some((other) => equals(item, other)));
};

const compareItems = (operator: Order, a: readonly Value[], b: readonly Value[]): boolean => {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    if (!equals(a[index]!, b[index]!)) return compare(operator, a[index]!, b[index]!);
  }
  return orders[operator](a.length - b.length);
};

/** sorted(values, key=…), which is stable even if reversed. */
export const sorted = (
  values: Iterable<Value>,
  key: (value: Value) => Value,
  reverse = false,
): Value[] => {
  const keyed = [...values].map((value) => ({ value, key: key(value) }));
  const sign = reverse ? -1 : 1;
  keyed.sort((a, b) => {
    if (compare('<', a.key, b.key)) return -sign;
    return compare('<', b.key, a.key) ? sign : 0;
  });
  return keyed.map(({ value }) => value);
};

/** item in container. */
export const contains = (container: Value, item: Value): boolean => {
  if (isText(container)) {
    if (isText(item)) return textOf(container).includes(textOf(item));
    throw typeError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
  }
  if (container instanceof Dict) return container.has(item);
  if (container instanceof DictView && container.kind === 'keys') return container.dict.has(item);
  const values = tryIterate(container);
  if (values === undefined) {
    throw typeError(`argument of type '${typeName(container)}' is not iterable`);
  }
  // `in` must not close the iterator: Python continues after the match.
  const iterator = values[Symbol.iterator]();
  for (let next = iterator.next(); !next.done; next = iterator.next()) {
    if (equals(next.value, item)) return true;
  }
  return false;
};

/** Python's `is`. Equal numbers and texts of the same type count as the same object. */
export const identical = (a: Value, b: Value): boolean => {
  if (a === b) return true;
  if (isText(a) && isText(b)) return textOf(a) === textOf(b) && typeName(a) === typeName(b);
  if (isFloat(a) && isFloat(b)) return equals(a, b);
  return isInt(a) && isInt(b) && typeof a !== 'boolean' && typeof b !== 'boolean' && equals(a, b);
};
