// str methods that search, test, strip and pad.
import { bind, positional, textArgument } from './arguments.ts';
import { Points } from './code-points.ts';
import { PythonError, typeError, unsupported, valueError } from './errors.ts';
import { escapeHtml } from './html.ts';
import { repeated } from './limits.ts';
import { asIndex } from './numbers.ts';
import { iterate } from './operators.ts';
import { softStr } from './repr.ts';
import {
  concat,
  isMarkup,
  isText,
  markup,
  sliceText,
  type Text,
  TextBuilder,
  textOf,
} from './text.ts';
import {
  isAlnum,
  isAlpha,
  isCased,
  isDecimal,
  isDigit,
  isLower,
  isNumeric,
  isPrintable,
  isSpace,
  isTitle,
  isUpper,
} from './unicode.ts';
import { isInt, type Kwargs, Tuple, typeName, type Value } from './values.ts';

type Method = (self: Text, args: readonly Value[], kwargs: Kwargs) => Value;

/** Converts `text` to Markup if `source` is Markup. */
export const like = (source: Text, text: Text): Text => (isMarkup(source) ? markup(text) : text);

/**
 * The UTF-16 offsets that Python's start and end arguments select, or null if start is after end.
 */
const within = (
  text: string,
  from: Value | undefined,
  to: Value | undefined,
): { points: Points; start: number; end: number } | null => {
  const points = new Points(text);
  const limit = (value: Value | undefined, absent: number): number => {
    if (value === undefined || value === null) return absent;
    if (!isInt(value)) {
      throw typeError('slice indices must be integers or None or have an __index__ method');
    }
    const number = Number(value);
    return number < 0 ? Math.max(0, number + points.length) : number;
  };
  const start = limit(from, 0);
  const end = Math.min(limit(to, points.length), points.length);
  if (start > end) return null;
  return { points, start: points.unit(start), end: points.unit(end) };
};

const search = (
  name: string,
  self: Text,
  args: readonly Value[],
  kwargs: Kwargs,
  last: boolean,
): number => {
  positional(name, args, kwargs, 1, 3);
  const text = textOf(self);
  const wanted = textOf(textArgument(name, args[0]!));
  const part = within(text, args[1], args[2]);
  if (part === null) return -1;
  const inside = text.slice(part.start, part.end);
  const at = last ? inside.lastIndexOf(wanted) : inside.indexOf(wanted);
  return at < 0 ? -1 : part.points.point(part.start + at);
};

const finder =
  (name: string, last: boolean): Method =>
  (self, args, kwargs) =>
    search(name, self, args, kwargs, last);

const indexer =
  (name: string, last: boolean): Method =>
  (self, args, kwargs) => {
    const at = search(name, self, args, kwargs, last);
    if (at < 0) throw valueError('substring not found');
    return at;
  };

const count: Method = (self, args, kwargs) => {
  positional('count', args, kwargs, 1, 3);
  const text = textOf(self);
  const wanted = textOf(textArgument('count', args[0]!));
  const part = within(text, args[1], args[2]);
  if (part === null) return 0;
  const inside = text.slice(part.start, part.end);
  return wanted === '' ? new Points(inside).length + 1 : inside.split(wanted).length - 1;
};

const edgeTest =
  (name: 'startswith' | 'endswith'): Method =>
  (self, args, kwargs) => {
    positional(name, args, kwargs, 1, 3);
    const [wanted] = args;
    const options = wanted instanceof Tuple ? wanted.items : [wanted!];
    const part = within(textOf(self), args[1], args[2]);
    const texts = options.map((option) => {
      if (isText(option)) return textOf(option);
      const where =
        wanted instanceof Tuple
          ? `tuple for ${name} must only contain`
          : `${name} first arg must be`;
      const type = wanted instanceof Tuple ? 'str' : 'str or a tuple of str';
      throw typeError(`${where} ${type}, not ${typeName(option)}`);
    });
    if (part === null) return false;
    const inside = textOf(self).slice(part.start, part.end);
    return texts.some((text) =>
      name === 'startswith' ? inside.startsWith(text) : inside.endsWith(text),
    );
  };

/** Strips whitespace or the given characters. */
export const strip = (self: Text, characters: Text | null, left: boolean, right: boolean): Text => {
  const text = textOf(self);
  const set = characters === null ? null : new Set(textOf(characters));
  const strips = (character: string): boolean =>
    set === null ? isSpace(character) : set.has(character);
  let start = 0;
  let end = text.length;
  while (left && start < end) {
    const character = String.fromCodePoint(text.codePointAt(start)!);
    if (!strips(character)) break;
    start += character.length;
  }
  while (right && end > start) {
    const pair =
      end - start > 1 && /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(end - 2, end));
    const character = text.slice(end - (pair ? 2 : 1), end);
    if (!strips(character)) break;
    end -= character.length;
  }
  return like(self, sliceText(self, start, end));
};

const stripper =
  (name: string, left: boolean, right: boolean): Method =>
  (self, args, kwargs) => {
    positional(name, args, kwargs, 0, 1);
    const [characters = null] = args;
    if (characters !== null && !isText(characters)) {
      throw typeError(`${name} arg must be None or str`);
    }
    return strip(self, characters, left, right);
  };

const pad = (self: Text, left: number, right: number, fill: Text): Text => {
  if (left <= 0 && right <= 0) return self;
  const builder = new TextBuilder();
  builder.add(repeated(textOf(fill), Math.max(0, left)));
  builder.add(self);
  builder.add(repeated(textOf(fill), Math.max(0, right)));
  return like(self, builder.build());
};

const padder =
  (name: string, place: (missing: number, width: number) => readonly [number, number]): Method =>
  (self, args, kwargs) => {
    positional(name, args, kwargs, 1, 2);
    const width = asIndex(args[0]!);
    const [, fill = ' '] = args;
    if (!isText(fill) || new Points(textOf(fill)).length !== 1) {
      throw typeError('The fill character must be exactly one character long');
    }
    const missing = width - new Points(textOf(self)).length;
    const [left, right] = place(Math.max(0, missing), width);
    return pad(self, left, right, isMarkup(self) ? escapeHtml(fill) : fill);
  };

/** str.center(): an odd space goes left if the width is odd. */
export const centered = (missing: number, width: number): readonly [number, number] => {
  const left = Math.floor(missing / 2) + (missing & width & 1);
  return [left, missing - left];
};

const zfill: Method = (self, args, kwargs) => {
  positional('zfill', args, kwargs, 1);
  const missing = asIndex(args[0]!) - new Points(textOf(self)).length;
  if (missing <= 0) return self;
  const signed = /^[-+]/.test(textOf(self)) ? 1 : 0;
  const zeros = repeated('0', missing);
  return like(self, concat([sliceText(self, 0, signed), zeros, sliceText(self, signed)]));
};

const all =
  (name: string, test: (character: string) => boolean, ofEmpty = false): Method =>
  (self, args, kwargs) => {
    positional(name, args, kwargs, 0);
    const characters = [...textOf(self)];
    return characters.length === 0 ? ofEmpty : characters.every(test);
  };

const caseTest =
  (name: string, wanted: (character: string) => boolean): Method =>
  (self, args, kwargs) => {
    positional(name, args, kwargs, 0);
    const cased = [...textOf(self)].filter((character) => isCased(character));
    return (
      cased.some(wanted) && cased.every((character) => wanted(character) || !hasCase(character))
    );
  };

const hasCase = (character: string): boolean =>
  isLower(character) || isUpper(character) || isTitle(character);

const istitle: Method = (self, args, kwargs) => {
  positional('istitle', args, kwargs, 0);
  let [cased, previous] = [false, false];
  for (const character of textOf(self)) {
    if (isUpper(character) || isTitle(character)) {
      if (previous) return false;
      [cased, previous] = [true, true];
    } else if (isLower(character)) {
      if (!previous) return false;
      cased = true;
    } else previous = false;
  }
  return cased;
};

const remover =
  (name: 'removeprefix' | 'removesuffix'): Method =>
  (self, args, kwargs) => {
    positional(name, args, kwargs, 1);
    const edge = textOf(textArgument(name, args[0]!));
    const text = textOf(self);
    if (name === 'removeprefix') {
      return text.startsWith(edge) ? like(self, sliceText(self, edge.length)) : self;
    }
    const ends = edge !== '' && text.endsWith(edge);
    return ends ? like(self, sliceText(self, 0, text.length - edge.length)) : self;
  };

const join: Method = (self, args, kwargs) => {
  positional('join', args, kwargs, 1);
  const builder = new TextBuilder();
  let index = 0;
  for (const item of iterate(args[0]!)) {
    if (!isText(item) && !isMarkup(self)) {
      throw typeError(`sequence item ${index}: expected str instance, ${typeName(item)} found`);
    }
    if (index++ > 0) builder.add(self);
    builder.add(isMarkup(self) ? escapeHtml(softStr(item)) : (item as Text));
  }
  return like(self, builder.build());
};

const expandtabs: Method = (self, args, kwargs) => {
  const [size] = bind('expandtabs', [['tabsize', 8]], args, kwargs);
  const width = asIndex(size!);
  if (Math.abs(width) > 0x7fffffff) {
    throw new PythonError('OverflowError', 'Python int too large to convert to C int');
  }
  const builder = new TextBuilder();
  let [column, at] = [0, 0];
  for (const character of textOf(self)) {
    const next = at + character.length;
    if (character === '\t') {
      const spaces = width > 0 ? width - (column % width) : 0;
      builder.add(repeated(' ', spaces));
      column += spaces;
    } else {
      builder.add(sliceText(self, at, next));
      column = character === '\n' || character === '\r' ? 0 : column + 1;
    }
    at = next;
  }
  return like(self, builder.build());
};

export const textMethods: Record<string, Method> = {
  find: finder('find', false),
  rfind: finder('rfind', true),
  index: indexer('index', false),
  rindex: indexer('rindex', true),
  count,
  startswith: edgeTest('startswith'),
  endswith: edgeTest('endswith'),
  strip: stripper('strip', true, true),
  lstrip: stripper('lstrip', true, false),
  rstrip: stripper('rstrip', false, true),
  ljust: padder('ljust', (missing) => [0, missing]),
  rjust: padder('rjust', (missing) => [missing, 0]),
  center: padder('center', centered),
  zfill,
  isalnum: all('isalnum', isAlnum),
  isalpha: all('isalpha', isAlpha),
  isascii: all('isascii', (character) => character < '\x80', true),
  isdecimal: all('isdecimal', isDecimal),
  isdigit: all('isdigit', isDigit),
  isnumeric: all('isnumeric', isNumeric),
  isprintable: all('isprintable', isPrintable, true),
  isspace: all('isspace', isSpace),
  isidentifier: (self, args, kwargs) => {
    positional('isidentifier', args, kwargs, 0);
    return /^[_\p{XID_Start}]\p{XID_Continue}*$/u.test(textOf(self));
  },
  islower: caseTest('islower', isLower),
  isupper: caseTest('isupper', isUpper),
  istitle,
  removeprefix: remover('removeprefix'),
  removesuffix: remover('removesuffix'),
  join,
  expandtabs,
  encode: () => {
    throw unsupported('str.encode() gives bytes, which are not supported');
  },
};
