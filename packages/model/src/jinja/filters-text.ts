// Filters that return text.

import { addText } from './binary.ts';
import { call } from './call.ts';
import { Points } from './code-points.ts';
import { PythonError, typeError } from './errors.ts';
import { type Apply, filter } from './filter-tools.ts';
import { escapeHtml } from './html.ts';
import { repeated } from './limits.ts';
import { getAttribute } from './lookup.ts';
import { asIndex, isNumber, toNumber } from './numbers.ts';
import { compare, iterate, len, truthy } from './operators.ts';
import { prettyFormat } from './pprint.ts';
import { formatPercent } from './printf.ts';
import { repr, softStr, str } from './repr.ts';
import { concat, isMarkup, isText, mapText, markup, sliceText, type Text, textOf } from './text.ts';
import { capitalize, lower, upper } from './text-case.ts';
import { like, strip } from './text-methods.ts';
import { lines, replace, split } from './text-split.ts';
import { wrap } from './textwrap.ts';
import { toJson } from './tojson.ts';
import { isAlnum, whitespace } from './unicode.ts';
import { Dict, isInt, noKwargs, Tuple, typeName, Undefined, type Value } from './values.ts';

const mapping = (name: string, map: (text: string) => string): Apply =>
  filter(name, [['s']], (value) => {
    const text = softStr(value!);
    return like(text, mapText(text, map));
  });

const wordStarts = new RegExp(`([-${whitespace}({\\[<]+)`);

/**
 * Upper-cases the first letter of each word. Words start after spaces, hyphens and opening
 * brackets.
 */
const title = (text: string): string =>
  text
    .split(wordStarts)
    .filter((part) => part !== '')
    .map((part) => {
      const first = String.fromCodePoint(part.codePointAt(0)!);
      return first.toUpperCase() + part.slice(first.length).toLowerCase();
    })
    .join('');

const methodOf = (value: Value, name: string, args: readonly Value[]): Value => {
  return call(getAttribute(softStr(value), name), args, noKwargs);
};

const indent = filter(
  'do_indent',
  [['s'], ['width', 4], ['first', false], ['blank', false]],
  (value, width, first, blank) => {
    if (!isText(value!)) {
      if (value instanceof Undefined) throw value.error();
      throw typeError(`unsupported operand type(s) for +=: '${typeName(value!)}' and 'str'`);
    }
    const indention = isText(width!) ? width : repeated(' ', Math.max(0, asIndex(width!)));
    const joined = (text: Text): Text => (isMarkup(value) ? markup(text) : text);
    const all = lines(`${textOf(value)}\n`, false).map(([start, end]) =>
      sliceText(value, start, end),
    );
    const pieces: Text[] = [];
    all.forEach((line, index) => {
      if (index > 0) pieces.push('\n');
      const indents = index === 0 ? false : truthy(blank!) || textOf(line) !== '';
      if (indents) pieces.push(indention);
      pieces.push(line);
    });
    if (truthy(first!)) pieces.unshift(indention);
    return joined(concat(pieces));
  },
);

const truncate = filter(
  'do_truncate',
  [['s'], ['length', 255], ['killwords', false], ['end', '...'], ['leeway', null]],
  (value, length, killwords, end, leeway) => {
    const slack = leeway === null ? 5 : leeway!;
    // Any number can be compared; only the cut itself requires an int.
    const limit = isNumber(length!) ? toNumber(length) : asIndex(length!);
    const ending = len(end!);
    if (limit < ending) {
      throw new PythonError('AssertionError', `expected length >= ${ending}, got ${limit}`);
    }
    if (compare('<', slack, 0)) {
      throw new PythonError('AssertionError', `expected leeway >= 0, got ${textOf(str(slack))}`);
    }
    if (len(value!) <= limit + (isNumber(slack) ? toNumber(slack) : asIndex(slack))) return value!;
    if (!isText(value!) || !isText(end!)) throw typeError('truncate requires a str');
    const points = new Points(textOf(value));
    const cut = sliceText(value, 0, points.unit(asIndex(length!) - ending));
    if (truthy(killwords!)) return addText(like(value, cut), end);
    const [start, until] = split(textOf(cut), ' ', 1, true)[0]!;
    return addText(like(value, sliceText(cut, start, until)), end);
  },
);

const wordwrap = filter(
  'do_wordwrap',
  [
    ['s'],
    ['width', 79],
    ['break_long_words', true],
    ['wrapstring', null],
    ['break_on_hyphens', true],
  ],
  (value, width, breakLongWords, wrapstring, breakOnHyphens) => {
    if (!isText(value!)) throw typeError('wordwrap requires a str');
    const by = wrapstring === null ? '\n' : wrapstring!;
    if (!isText(by)) throw typeError('wrapstring must be a str');
    const options = {
      width: isNumber(width!) ? toNumber(width) : asIndex(width!),
      breakLongWords: truthy(breakLongWords!),
      breakOnHyphens: truthy(breakOnHyphens!),
    };
    const wrapped = lines(textOf(value), false).map(([start, end]) =>
      join(by, wrap(sliceText(value, start, end), options)),
    );
    return join(by, wrapped);
  },
);

/** Joins texts with a separator. */
export const join = (by: Text, texts: readonly Text[]): Text =>
  concat(texts.flatMap((text, index) => (index === 0 ? [text] : [by, text])));

const quoted = (value: Value, inQuery: boolean): string => {
  const bytes = new TextEncoder().encode(textOf(str(value)));
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    const safe = /[\w.~-]/.test(character) && byte < 128;
    if (safe || (character === '/' && !inQuery)) text += character;
    else if (character === ' ' && inQuery) text += '+';
    else text += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
};

const urlencode = filter('do_urlencode', [['value']], (value) => {
  if (isText(value!) || !isIterable(value!)) return quoted(value!, false);
  const pairs = value instanceof Dict ? [...value.entries()] : [...iterate(value!)].map(pair);
  return pairs.map(([key, item]) => `${quoted(key, true)}=${quoted(item, true)}`).join('&');
});

const isIterable = (value: Value): boolean => {
  try {
    iterate(value);
    return true;
  } catch {
    return false;
  }
};

const pair = (value: Value): readonly [Value, Value] => {
  const items = [...iterate(value)];
  if (items.length !== 2) throw typeError('urlencode requires (key, value) pairs');
  return [items[0]!, items[1]!];
};

const xmlattr = filter('do_xmlattr', [['d'], ['autospace', true]], (value, autospace) => {
  if (value instanceof Undefined) throw value.error();
  if (!(value instanceof Dict)) {
    throw new PythonError(
      'AttributeError',
      `'${typeName(value!)}' object has no attribute 'items'`,
    );
  }
  const items: Text[] = [];
  for (const [key, item] of value.entries()) {
    if (item === null || item instanceof Undefined) continue;
    if (!isText(key))
      throw typeError(`expected string or bytes-like object, got '${typeName(key)}'`);
    if (/[\s/>=]/.test(textOf(key))) {
      throw new PythonError(
        'ValueError',
        `Invalid character in attribute name: ${textOf(repr(key))}`,
      );
    }
    items.push(concat([escapeHtml(key), '="', escapeHtml(softStr(item)), '"']));
  }
  const text = join(' ', items);
  return truthy(autospace!) && items.length > 0 ? concat([' ', text]) : text;
});

const wordPattern = (character: string): boolean => character === '_' || isAlnum(character);

const wordcount = filter('do_wordcount', [['s']], (value) => {
  let count = 0;
  let inside = false;
  for (const character of textOf(softStr(value!))) {
    const word = wordPattern(character);
    if (word && !inside) count++;
    inside = word;
  }
  return count;
});

const format: Apply = ([value, ...args], kwargs) => {
  if (args.length > 0 && kwargs.size > 0) {
    throw new PythonError(
      'FilterArgumentError',
      "can't handle positional and keyword arguments at the same time",
    );
  }
  return formatPercent(softStr(value!), kwargs.size > 0 ? new Dict(kwargs) : new Tuple(args));
};

export const textFilters: Record<string, Apply> = {
  upper: mapping('do_upper', upper),
  lower: mapping('do_lower', lower),
  capitalize: mapping('do_capitalize', capitalize),
  title: filter('do_title', [['s']], (value) => {
    const text = softStr(value!);
    return mapText(isMarkup(text) ? str(text) : text, title);
  }),
  trim: filter('do_trim', [['value'], ['chars', null]], (value, characters) => {
    if (characters !== null && !isText(characters!)) {
      throw typeError('strip arg must be None or str');
    }
    return strip(softStr(value!), characters as Text | null, true, true);
  }),
  replace: filter(
    'do_replace',
    [['s'], ['old'], ['new'], ['count', null]],
    (value, old, by, count) =>
      replace(
        str(value!),
        textOf(str(old!)),
        str(by!),
        count === null ? -1 : isInt(count!) ? Number(count) : asIndex(count!),
      ),
  ),
  center: filter('do_center', [['value'], ['width', 80]], (value, width) =>
    methodOf(value!, 'center', [width!]),
  ),
  string: filter('soft_str', [['s']], (value) => softStr(value!)),
  indent,
  truncate,
  wordwrap,
  wordcount,
  format,
  urlencode,
  xmlattr,
  safe: filter('do_mark_safe', [['value']], (value) => markup(softStr(value!))),
  e: filter('escape', [['s']], (value) => escapeHtml(softStr(value!))),
  escape: filter('escape', [['s']], (value) => escapeHtml(softStr(value!))),
  forceescape: filter('do_forceescape', [['value']], (value) => escapeHtml(str(value!))),
  pprint: filter('do_pprint', [['value']], (value) => prettyFormat(value!)),
  tojson: filter(
    'tojson',
    [['x'], ['ensure_ascii', false], ['indent', null], ['separators', null], ['sort_keys', false]],
    (value, ensureAscii, indent, separators, sortKeys) =>
      toJson(value!, {
        ensureAscii: truthy(ensureAscii!),
        indent: indent!,
        separators: separators!,
        sortKeys: truthy(sortKeys!),
      }),
  ),
};
