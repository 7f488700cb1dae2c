// str methods that split and replace.
import { bind, positional, textArgument } from './arguments.ts';
import { typeError, valueError } from './errors.ts';
import { escapeHtml } from './html.ts';
import { asIndex } from './numbers.ts';
import { truthy } from './operators.ts';
import { concat, isMarkup, isText, sliceText, type Text, tagged, textOf } from './text.ts';
import { like } from './text-methods.ts';
import { isSpace } from './unicode.ts';
import { Dict, isInt, type Kwargs, List, Tuple, typeName, type Value } from './values.ts';

type Method = (self: Text, args: readonly Value[], kwargs: Kwargs) => Value;
/** UTF-16 offsets of a part. */
type Part = readonly [start: number, end: number];

const parts = (self: Text, found: readonly Part[]): List =>
  new List(found.map(([start, end]) => like(self, sliceText(self, start, end))));

/** split() and rsplit(): `most` is the maximum number of splits, or -1. */
export const split = (text: string, by: string | null, most: number, last: boolean): Part[] => {
  if (by === null) return splitAtSpaces(text, most, last);
  const found: Part[] = [];
  const limit = most < 0 ? Number.POSITIVE_INFINITY : most;
  if (last) {
    let end = text.length;
    for (let at = lastBefore(text, by, end); at >= 0 && found.length < limit; ) {
      found.unshift([at + by.length, end]);
      end = at;
      at = lastBefore(text, by, end);
    }
    found.unshift([0, end]);
    return found;
  }
  let start = 0;
  for (let at = text.indexOf(by); at >= 0 && found.length < limit; at = text.indexOf(by, start)) {
    found.push([start, at]);
    start = at + by.length;
  }
  found.push([start, text.length]);
  return found;
};

const lastBefore = (text: string, by: string, end: number): number =>
  end < by.length ? -1 : text.lastIndexOf(by, end - by.length);

const splitAtSpaces = (text: string, most: number, last: boolean): Part[] => {
  const words: Part[] = [];
  let start = -1;
  for (let at = 0; at <= text.length; at++) {
    const space = at === text.length || isSpace(text[at]!);
    if (space && start >= 0) {
      words.push([start, at]);
      start = -1;
    } else if (!space && start < 0) start = at;
  }
  if (most < 0 || words.length <= most) return words;
  // The rest keeps its outer whitespace.
  if (last) {
    const rest = words.slice(0, words.length - most);
    return [[0, rest.at(-1)![1]], ...words.slice(words.length - most)];
  }
  const rest = words.slice(most);
  return [...words.slice(0, most), [rest[0]![0], text.length]];
};

const splitter =
  (name: string, last: boolean): Method =>
  (self, args, kwargs) => {
    const [by, most] = bind(
      name,
      [
        ['sep', null],
        ['maxsplit', -1],
      ],
      args,
      kwargs,
    );
    if (by !== null && !isText(by!)) {
      throw typeError(`must be str or None, not ${typeName(by!)}`);
    }
    if (by !== null && textOf(by) === '') throw valueError('empty separator');
    const limit = asIndex(most!);
    return parts(self, split(textOf(self), by === null ? null : textOf(by), limit, last));
  };

// biome-ignore lint/suspicious/noControlCharactersInRegex: they end lines, as in Python
const breaks = /\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/g;

/** Splits text into lines, with or without line ends. */
export const lines = (text: string, keepEnds: boolean): Part[] => {
  const found: Part[] = [];
  let start = 0;
  for (const match of text.matchAll(breaks)) {
    const end = match.index + match[0].length;
    found.push([start, keepEnds ? end : match.index]);
    start = end;
  }
  if (start < text.length) found.push([start, text.length]);
  return found;
};

const splitlines: Method = (self, args, kwargs) => {
  const [keepEnds] = bind('splitlines', [['keepends', false]], args, kwargs);
  if (!isInt(keepEnds)) {
    throw typeError(`'${typeName(keepEnds!)}' object cannot be interpreted as an integer`);
  }
  return parts(self, lines(textOf(self), truthy(keepEnds)));
};

const partitioner =
  (name: string, last: boolean): Method =>
  (self, args, kwargs) => {
    positional(name, args, kwargs, 1);
    const by = textOf(textArgument(name, args[0]!));
    if (by === '') throw valueError('empty separator');
    const text = textOf(self);
    const at = last ? text.lastIndexOf(by) : text.indexOf(by);
    const cuts: Part[] =
      at >= 0
        ? [
            [0, at],
            [at, at + by.length],
            [at + by.length, text.length],
          ]
        : last
          ? [
              [0, 0],
              [0, 0],
              [0, text.length],
            ]
          : [
              [0, text.length],
              [text.length, text.length],
              [text.length, text.length],
            ];
    return new Tuple(cuts.map(([start, end]) => like(self, sliceText(self, start, end))));
  };

/** str.replace(): `most` is the maximum number of replacements, or -1. */
export const replace = (self: Text, old: string, by: Text, most: number): Text => {
  const text = textOf(self);
  const limit = most < 0 ? Number.POSITIVE_INFINITY : most;
  const pieces: Text[] = [];
  let start = 0;
  let done = 0;
  const cut = (from: number, to: number): void => {
    pieces.push(sliceText(self, start, from), by);
    start = to;
    done++;
  };
  if (old === '') {
    let at = 0;
    for (const character of text) {
      if (done >= limit) break;
      cut(at, at);
      at += character.length;
    }
    if (done < limit) cut(text.length, text.length);
  } else {
    for (let at = text.indexOf(old); at >= 0 && done < limit; at = text.indexOf(old, start)) {
      cut(at, at + old.length);
    }
  }
  if (done === 0) return self;
  pieces.push(sliceText(self, start));
  return concat(pieces);
};

const translate: Method = (self, args, kwargs) => {
  positional('translate', args, kwargs, 1);
  const [table] = args;
  if (!(table instanceof Dict)) throw typeError(`'${typeName(table!)}' object is not a mapping`);
  const pieces: Text[] = [];
  let at = 0;
  for (const character of textOf(self)) {
    const part = sliceText(self, at, at + character.length);
    at += character.length;
    const to = table.get(character.codePointAt(0)!);
    if (to === undefined) pieces.push(part);
    else if (to !== null) pieces.push(translated(part, to));
  }
  return like(self, concat(pieces));
};

const translated = (part: Text, to: Value): Text => {
  if (!isText(to) && !isInt(to)) {
    throw typeError('character mapping must return integer, None or str');
  }
  const text = isText(to) ? textOf(to) : String.fromCodePoint(Number(to));
  const origin = typeof part === 'string' ? undefined : part.runs[0]?.origin;
  return origin === undefined ? text : tagged(text, origin);
};

const maketrans: Method = (_, args, kwargs) => {
  positional('maketrans', args, kwargs, 1, 3);
  const [from, to, removed] = args;
  if (args.length === 1) {
    if (!(from instanceof Dict)) {
      throw typeError('if you give only one argument to maketrans it must be a dict');
    }
    return new Dict([...from.entries()].map(([key, value]) => [pointOf(key), value] as const));
  }
  const [keys, values] = [from, to].map((text) => [...textOf(textArgument('maketrans', text!))]);
  if (keys!.length !== values!.length) {
    throw valueError('the first two maketrans arguments must have equal length');
  }
  const table = new Dict(
    keys!.map((key, index) => [key.codePointAt(0)!, values![index]!.codePointAt(0)!] as const),
  );
  if (removed !== undefined) {
    for (const character of textOf(textArgument('maketrans', removed))) {
      table.set(character.codePointAt(0)!, null);
    }
  }
  return table;
};

const pointOf = (key: Value): Value => {
  if (isInt(key)) return key;
  const characters = isText(key) ? [...textOf(key)] : [];
  if (characters.length !== 1) {
    throw valueError('string keys in translate table must be of length 1');
  }
  return characters[0]!.codePointAt(0)!;
};

export const splitMethods: Record<string, Method> = {
  split: splitter('split', false),
  rsplit: splitter('rsplit', true),
  splitlines,
  partition: partitioner('partition', false),
  rpartition: partitioner('rpartition', true),
  replace: (self, args, kwargs) => {
    positional('replace', args, kwargs, 2, 3);
    const [old, by] = [args[0]!, args[1]!].map((value) => textArgument('replace', value));
    const most = args[2] === undefined ? -1 : asIndex(args[2]);
    const text = replace(self, textOf(old!), isMarkup(self) ? escapeHtml(by!) : by!, most);
    return like(self, text);
  },
  translate,
  maketrans,
};
