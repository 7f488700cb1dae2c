// Python's pprint.pformat() with a width of 80.

import { pointCount } from './code-points.ts';
import { PythonError } from './errors.ts';
import { compare } from './operators.ts';
import { repr } from './repr.ts';
import { concat, isMarkup, isText, sliceText, type Text, textOf } from './text.ts';
import { lines } from './text-split.ts';
import { Dict, List, Tuple, typeName, type Value } from './values.ts';

const width = 80;

export const prettyFormat = (value: Value): Text => concat(format(value, 0, 0, 0));

const short = (value: Value): Text => concat(flat(value));

/** repr() with sorted dict keys. */
const flat = (value: Value): Text[] => {
  if (value instanceof Dict) {
    const parts = ordered(value).flatMap(([key, item], index) => [
      ...(index > 0 ? [', '] : []),
      ...flat(key),
      ': ',
      ...flat(item),
    ]);
    return ['{', ...parts, '}'];
  }
  if (value instanceof List || (value instanceof Tuple && typeName(value) === 'tuple')) {
    const parts = value.items.flatMap((item, index) => [
      ...(index > 0 ? [', '] : []),
      ...flat(item),
    ]);
    if (value instanceof List) return ['[', ...parts, ']'];
    return ['(', ...parts, value.items.length === 1 ? ',)' : ')'];
  }
  return [repr(value)];
};

const ordered = (dict: Dict): (readonly [Value, Value])[] =>
  [...dict.entries()].sort(([a], [b]) => (less(a, b) ? -1 : less(b, a) ? 1 : 0));

/** Keys that cannot be compared are ordered by type name. */
const less = (a: Value, b: Value): boolean => {
  try {
    return compare('<', a, b);
  } catch (error) {
    if (!(error instanceof PythonError) || error.kind !== 'TypeError') throw error;
    return typeName(a) < typeName(b);
  }
};

const format = (value: Value, indent: number, allowance: number, level: number): Text[] => {
  const whole = short(value);
  if (pointCount(textOf(whole)) <= width - indent - allowance) return [whole];
  if (value instanceof Dict && value.size > 0)
    return formatDict(value, indent, allowance, level + 1);
  if (value instanceof List && value.items.length > 0) {
    return ['[', ...formatItems(value.items, indent, allowance + 1, level + 1), ']'];
  }
  if (value instanceof Tuple && value.items.length > 0 && typeName(value) === 'tuple') {
    const end = value.items.length === 1 ? ',)' : ')';
    return ['(', ...formatItems(value.items, indent, allowance + end.length, level + 1), end];
  }
  if (isText(value) && !isMarkup(value) && textOf(value) !== '')
    return formatText(value, indent, allowance, level + 1);
  return [whole];
};

const formatDict = (dict: Dict, indent: number, allowance: number, level: number): Text[] => {
  const inner = indent + 1;
  const entries = ordered(dict);
  const parts = entries.flatMap(([key, item], index): Text[] => {
    const isLast = index === entries.length - 1;
    const name = short(key);
    const column = inner + pointCount(textOf(name)) + 2;
    return [
      name,
      ': ',
      ...format(item, column, isLast ? allowance + 1 : 1, level),
      ...(isLast ? [] : [`,\n${' '.repeat(inner)}`]),
    ];
  });
  return ['{', ...parts, '}'];
};

const formatItems = (
  items: readonly Value[],
  indent: number,
  allowance: number,
  level: number,
): Text[] => {
  const inner = indent + 1;
  return items.flatMap((item, index): Text[] => {
    const isLast = index === items.length - 1;
    return [
      ...format(item, inner, isLast ? allowance : 1, level),
      ...(isLast ? [] : [`,\n${' '.repeat(inner)}`]),
    ];
  });
};

const formatText = (text: Text, indent: number, allowance: number, level: number): Text[] => {
  const all = lines(textOf(text), true).map(([start, end]) => sliceText(text, start, end));
  const inParentheses = level === 1;
  const column = inParentheses ? indent + 1 : indent;
  const ending = inParentheses ? allowance + 1 : allowance;
  const chunks: Text[] = [];
  all.forEach((line, index) => {
    const isLast = index === all.length - 1;
    const whole = repr(line);
    if (pointCount(textOf(whole)) <= width - column - (isLast ? ending : 0)) {
      chunks.push(whole);
      return;
    }
    // Words with their trailing whitespace.
    const words = [...textOf(line).matchAll(/\S*\s*/g)].filter(([word]) => word !== '');
    let start = 0;
    let end = 0;
    words.forEach((word, position) => {
      const next = word.index + word[0].length;
      const isLastWord = position === words.length - 1;
      const room = width - column - (isLastWord && isLast ? ending : 0);
      if (pointCount(textOf(repr(sliceText(line, start, next)))) > room) {
        if (end > start) chunks.push(repr(sliceText(line, start, end)));
        start = end;
      }
      end = next;
    });
    if (end > start) chunks.push(repr(sliceText(line, start, end)));
  });
  if (chunks.length === 1) return [chunks[0]!];
  const joined = chunks.flatMap((chunk, index): Text[] =>
    index === 0 ? [chunk] : [`\n${' '.repeat(column)}`, chunk],
  );
  return inParentheses ? ['(', ...joined, ')'] : joined;
};
