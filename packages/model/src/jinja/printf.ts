// printf-style formatting: text % values.

import { Points, pointCount } from './code-points.ts';
import { PythonError, typeError, valueError } from './errors.ts';
import { formatFloat } from './format-spec.ts';
import { escapeHtml } from './html.ts';
import { repeated } from './limits.ts';
import { isNumber, plainInt, toNumber, truncateFloat } from './numbers.ts';
import { ascii, intText, repr, str } from './repr.ts';
import { isMarkup, isText, markup, sliceText, type Text, TextBuilder, textOf } from './text.ts';
import {
  Dict,
  isFloat,
  isInt,
  List,
  Range,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

const directive =
  /%(?:\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d*))?[hlL]?([\s\S])?/y;

interface Directive {
  flags: string;
  width: number;
  precision: number | null;
  type: string;
}

/** @throws PythonError if the format is broken or does not fit the values */
export const formatPercent = (format: Text, values: Value): Text => {
  const text = textOf(format);
  const source = new Values(values);
  const builder = new TextBuilder();
  const escaping = isMarkup(format);
  let at = 0;
  for (let next = text.indexOf('%'); next >= 0; next = text.indexOf('%', at)) {
    builder.add(sliceText(format, at, next));
    directive.lastIndex = next;
    const match = directive.exec(text);
    const [whole, key, flags = '', width, precision, type] = match ?? [];
    if (whole === undefined || type === undefined) throw valueError('incomplete format');
    at = next + whole.length;
    if (key !== undefined) source.select(key);
    const parsed: Directive = { flags, ...source.sizes(width, precision), type };
    if (type === '%') builder.add('%');
    else builder.add(formatOne(parsed, source.next(), at - 1, escaping));
  }
  builder.add(sliceText(format, at));
  source.finish();
  return escaping ? markup(builder.build()) : builder.build();
};

/** The values that directives consume in order or by name. */
class Values {
  readonly #all: readonly Value[];
  readonly #mapping: Value | undefined;
  #taken = 0;
  #selected: Value | undefined;

  constructor(values: Value) {
    this.#all = values instanceof Tuple ? values.items : [values];
    // Values with subscripts count as mappings, whose items need not all be used.
    const isMapping =
      values instanceof Dict ||
      values instanceof List ||
      values instanceof Range ||
      values instanceof Undefined;
    this.#mapping = isMapping ? values : undefined;
  }

  select(key: string): void {
    if (this.#mapping === undefined) throw typeError('format requires a mapping');
    if (this.#mapping instanceof Undefined) throw this.#mapping.error();
    if (!(this.#mapping instanceof Dict)) {
      throw typeError(`${typeName(this.#mapping)} indices must be integers or slices, not str`);
    }
    this.#selected = this.#mapping.get(key);
    if (this.#selected === undefined) throw new PythonError('KeyError', `'${key}'`);
  }

  next(): Value {
    if (this.#selected !== undefined) {
      const value = this.#selected;
      this.#selected = undefined;
      return value;
    }
    const value = this.#all[this.#taken++];
    if (value === undefined) throw typeError('not enough arguments for format string');
    return value;
  }

  sizes(width?: string, precision?: string): { width: number; precision: number | null } {
    return {
      width: width === undefined ? 0 : this.#size(width),
      precision: precision === undefined ? null : Math.max(0, this.#size(precision)),
    };
  }

  #size(text: string): number {
    if (text !== '*') return Number(text);
    const value = this.next();
    if (!isInt(value)) throw typeError('* wants int');
    return Number(value);
  }

  finish(): void {
    if (this.#mapping === undefined && this.#taken < this.#all.length) {
      throw typeError('not all arguments converted during string formatting');
    }
  }
}

const formatOne = (
  { flags, width: asked, precision, type }: Directive,
  value: Value,
  at: number,
  escaping: boolean,
): Text => {
  const left = flags.includes('-') || asked < 0;
  const width = Math.abs(asked);
  if ('sra'.includes(type)) {
    const text = type === 's' ? str(value) : type === 'r' ? repr(value) : ascii(value);
    const safe = escaping && !(type === 's' && isMarkup(value)) ? escapeHtml(text) : text;
    return padded(cut(safe, precision), width, left);
  }
  if (type === 'c') return padded(cut(character(value), precision), width, left);
  if ('diouxX'.includes(type)) {
    return padded(integer(type, flags, width, precision, left, value), width, left);
  }
  if ('eEfFgG'.includes(type)) {
    if (value instanceof Undefined) throw value.error();
    if (!isNumber(value)) throw typeError(`must be real number, not ${typeName(value)}`);
    const number = toNumber(value);
    const body = formatFloat(Math.abs(number), type, precision ?? 6, flags.includes('#'));
    const negative = number < 0 || Object.is(number, -0);
    return padded(
      zeroFilled(sign(negative, flags), '', body, flags, width, left, true),
      width,
      left,
    );
  }
  const name = type.codePointAt(0)!.toString(16);
  throw valueError(`unsupported format character '${type}' (0x${name}) at index ${at}`);
};

const cut = (text: Text, precision: number | null): Text => {
  if (precision === null) return text;
  const points = new Points(textOf(text));
  return points.length <= precision ? text : sliceText(text, 0, points.unit(precision));
};

const padded = (text: Text, width: number, left: boolean): Text => {
  const missing = width - pointCount(textOf(text));
  if (missing <= 0) return text;
  const builder = new TextBuilder();
  if (!left) builder.add(repeated(' ', missing));
  builder.add(text);
  if (left) builder.add(repeated(' ', missing));
  return builder.build();
};

const sign = (negative: boolean, flags: string): string => {
  if (negative) return '-';
  if (flags.includes('+')) return '+';
  return flags.includes(' ') ? ' ' : '';
};

const zeroFilled = (
  signed: string,
  prefix: string,
  body: string,
  flags: string,
  width: number,
  left: boolean,
  fills: boolean,
): string => {
  const length = signed.length + prefix.length + body.length;
  const zeros = fills && flags.includes('0') && !left ? Math.max(0, width - length) : 0;
  return signed + prefix + repeated('0', zeros) + body;
};

const integer = (
  type: string,
  flags: string,
  width: number,
  precision: number | null,
  left: boolean,
  value: Value,
): string => {
  if (value instanceof Undefined) throw value.error();
  const wantsInt = type === 'x' || type === 'X' || type === 'o';
  if (!isNumber(value) || (wantsInt && isFloat(value))) {
    const wanted = wantsInt ? 'an integer' : 'a real number';
    throw typeError(`%${type} format: ${wanted} is required, not ${typeName(value)}`);
  }
  const number = isInt(value) ? plainInt(value) : truncateFloat(toNumber(value));
  const negative = number < 0;
  const size = negative ? -number : number;
  const radix = type === 'o' ? 8 : wantsInt ? 16 : 10;
  const digits = radix === 10 ? intText(size) : size.toString(radix);
  const body = digits.padStart(precision ?? 0, '0');
  const prefix = flags.includes('#') && radix !== 10 ? (radix === 8 ? '0o' : '0x') : '';
  const text = zeroFilled(sign(negative, flags), prefix, body, flags, width, left, true);
  return type === 'X' ? text.toUpperCase() : text;
};

const character = (value: Value): Text => {
  if (isText(value) && pointCount(textOf(value)) === 1) return value;
  if (!isInt(value)) throw typeError('%c requires int or char');
  const point = Number(value);
  if (point < 0 || point > 0x10ffff) {
    throw new PythonError('OverflowError', '%c arg not in range(0x110000)');
  }
  return String.fromCodePoint(point);
};
