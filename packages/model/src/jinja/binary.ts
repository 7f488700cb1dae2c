// The operators + - * / // % ** for all types of values, and unary signs.
import { type PythonError, typeError } from './errors.ts';
import { escapeHtml } from './html.ts';
import { makeRoom, makeRoomForItems, repeated, spend } from './limits.ts';
import { arithmetic, asIndex, float, floatValue, type Operator, plainInt } from './numbers.ts';
import { formatPercent } from './printf.ts';
import { concat, isMarkup, isText, markup, type Text, textOf } from './text.ts';
import { isFloat, isInt, List, Tuple, typeName, Undefined, type Value } from './values.ts';

/** a operator b. @throws PythonError if Python or Jinja2 would refuse it */
export const binary = (operator: Operator, a: Value, b: Value): Value => {
  spend(1);
  const number = arithmetic(operator, a, b);
  if (number !== undefined) return number;
  if (operator === '%' && isText(a)) return formatPercent(a, b);
  if (a instanceof Undefined) throw a.error();
  if (b instanceof Undefined) throw b.error();
  if (operator === '+') return add(a, b);
  if (operator === '*') return multiply(a, b);
  throw unsupportedOperands(operator, a, b);
};

const unsupportedOperands = (operator: Operator, a: Value, b: Value): PythonError => {
  const name = operator === '**' ? '** or pow()' : operator;
  return typeError(
    `unsupported operand type(s) for ${name}: '${typeName(a)}' and '${typeName(b)}'`,
  );
};

const add = (a: Value, b: Value): Value => {
  if (isText(a) && isText(b)) return addText(a, b);
  if (a instanceof List && b instanceof List) return new List(joined(a, b));
  if (a instanceof Tuple && b instanceof Tuple) return new Tuple(joined(a, b));
  if (isText(a) || a instanceof List || a instanceof Tuple) {
    throw typeError(`can only concatenate ${typeName(a)} (not "${typeName(b)}") to ${typeName(a)}`);
  }
  throw unsupportedOperands('+', a, b);
};

const joined = (a: List | Tuple, b: List | Tuple): Value[] => {
  makeRoomForItems(a.items.length + b.items.length);
  return [...a.items, ...b.items];
};

/** Concatenates text. Joining plain text to Markup escapes it. */
export const addText = (a: Text, b: Text): Text => {
  if (typeof a === 'string' && typeof b === 'string') {
    makeRoom(a.length + b.length);
    return a + b;
  }
  if (isMarkup(a) || isMarkup(b)) return markup(concat([escapeHtml(a), escapeHtml(b)]));
  return concat([a, b]);
};

const multiply = (a: Value, b: Value): Value => {
  if (isSequence(a)) return repeat(a, b);
  if (isSequence(b)) return repeat(b, a);
  throw unsupportedOperands('*', a, b);
};

const isSequence = (value: Value): value is Text | List | Tuple =>
  isText(value) || value instanceof List || value instanceof Tuple;

const repeat = (sequence: Text | List | Tuple, times: Value): Value => {
  if (!isInt(times)) {
    throw typeError(`can't multiply sequence by non-int of type '${typeName(times)}'`);
  }
  const count = Math.max(0, asIndex(times));
  if (typeof sequence === 'string') return repeated(sequence, count);
  if (isText(sequence)) {
    // Empty texts still mark their place.
    makeRoom(Math.max(1, textOf(sequence).length) * count);
    const text = concat(Array.from({ length: count }, () => sequence));
    return isMarkup(sequence) ? markup(text) : text;
  }
  makeRoomForItems(Math.max(1, sequence.items.length) * count);
  const items = Array.from({ length: count }, () => sequence.items).flat();
  return sequence instanceof List ? new List(items) : new Tuple(items);
};

/** -value and +value. */
export const unary = (sign: '-' | '+', value: Value): Value => {
  if (isInt(value)) {
    const number = plainInt(value);
    return sign === '+' ? number : typeof number === 'bigint' ? -number : 0 - number;
  }
  if (isFloat(value)) return sign === '+' ? value : float(-floatValue(value));
  if (value instanceof Undefined) throw value.error();
  throw typeError(`bad operand type for unary ${sign}: '${typeName(value)}'`);
};
