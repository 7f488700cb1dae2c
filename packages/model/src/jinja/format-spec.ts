// format(value, spec): Python's format specification mini-language.

import { Points, pointCount } from './code-points.ts';
import { fixed, floatRepr, positional, scientific, significant } from './decimal.ts';
import { PythonError, typeError, valueError } from './errors.ts';
import { repeated } from './limits.ts';
import { intToNumber, plainInt, toNumber } from './numbers.ts';
import { intText, str } from './repr.ts';
import { isText, sliceText, type Text, TextBuilder, textOf } from './text.ts';
import { isFloat, isInt, typeName, Undefined, type Value } from './values.ts';

/**
 * Formats a non-negative float with type e, f or g. `dotZero` keeps a decimal point, as repr()
 * does.
 */
export const formatFloat = (
  value: number,
  type: string,
  precision: number,
  alternate = false,
  dotZero = false,
): string => {
  const kind = type.toLowerCase();
  let text: string;
  if (!Number.isFinite(value)) text = Number.isNaN(value) ? 'nan' : 'inf';
  else if (kind === 'f') text = fixed(value, precision) + (alternate && precision === 0 ? '.' : '');
  else if (kind === 'e') {
    const { digits, exponent } = significant(value, precision + 1);
    text = scientific(digits, exponent, 'e', alternate);
  } else text = general(value, Math.max(1, precision), alternate, dotZero);
  return type === kind ? text : text.toUpperCase();
};

const general = (
  value: number,
  precision: number,
  alternate: boolean,
  dotZero: boolean,
): string => {
  const { digits, exponent } = significant(value, precision);
  const kept = alternate ? digits : digits.replace(/0+$/, '') || '0';
  if (exponent < -4 || exponent >= precision - (dotZero ? 1 : 0)) {
    return scientific(kept, exponent, 'e', alternate);
  }
  const text = positional(kept, exponent);
  if (text.includes('.')) return text;
  return dotZero ? `${text}.0` : text + (alternate ? '.' : '');
};

interface Spec {
  fill: string;
  align: string;
  sign: string;
  alternate: boolean;
  noNegativeZero: boolean;
  zero: boolean;
  width: number;
  grouping: string;
  precision: number | null;
  type: string;
}

const pattern = /^(?:([\s\S])?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([\s\S])?$/u;

const parse = (spec: string, value: Value): Spec => {
  const match = pattern.exec(spec);
  if (match === null) {
    throw valueError(`Invalid format specifier '${spec}' for object of type '${typeName(value)}'`);
  }
  const [, fill, align, sign, z, alternate, zero, width, grouping, precision, type] = match;
  return {
    fill: fill ?? (zero && align === undefined ? '0' : ' '),
    align: align ?? (zero ? '=' : ''),
    sign: sign ?? '-',
    alternate: alternate !== undefined,
    noNegativeZero: z !== undefined,
    zero: zero !== undefined,
    width: Number(width ?? 0),
    grouping: grouping ?? '',
    precision: precision === undefined ? null : Number(precision),
    type: type ?? '',
  };
};

/** @throws PythonError if the specification is broken or does not fit the value */
export const formatValue = (value: Value, spec: string): Text => {
  if (spec === '') return str(value);
  if (isText(value)) return formatText(value, parse(spec, value));
  if (isInt(value)) return formatInt(value, parse(spec, value));
  if (isFloat(value)) return formatNumber(toNumber(value), parse(spec, value), value);
  if (value instanceof Undefined) {
    throw typeError('unsupported format string passed to Undefined.__format__');
  }
  throw typeError(`unsupported format string passed to ${typeName(value)}.__format__`);
};

const unknownCode = (type: string, value: Value): PythonError =>
  valueError(`Unknown format code '${type}' for object of type '${typeName(value)}'`);

const formatText = (value: Text, spec: Spec): Text => {
  if (spec.type !== '' && spec.type !== 's') throw unknownCode(spec.type, value);
  if (spec.sign !== '-' || spec.noNegativeZero) {
    throw valueError('Sign not allowed in string format specifier');
  }
  if (spec.alternate) throw valueError('Alternate form (#) not allowed in string format specifier');
  if (spec.grouping !== '') throw valueError(`Cannot specify '${spec.grouping}' with 's'.`);
  const { zero } = spec;
  if (spec.align === '=' && !zero) {
    throw valueError("'=' alignment not allowed in string format specifier");
  }
  const points = new Points(textOf(value));
  const { precision } = spec;
  const cut =
    precision !== null && precision < points.length
      ? sliceText(value, 0, points.unit(precision))
      : value;
  return align(cut, spec.align === '=' || spec.align === '' ? '<' : spec.align, spec);
};

const align = (text: Text, how: string, { fill, width }: Spec): Text => {
  const missing = width - pointCount(textOf(text));
  if (missing <= 0) return text;
  const before = how === '>' ? missing : how === '^' ? Math.floor(missing / 2) : 0;
  const builder = new TextBuilder();
  builder.add(repeated(fill, before));
  builder.add(text);
  builder.add(repeated(fill, missing - before));
  return builder.build();
};

const radixes: Record<string, number> = { b: 2, o: 8, x: 16, X: 16 };

const formatInt = (value: boolean | number | bigint, spec: Spec): Text => {
  const { type } = spec;
  if ('eEfFgG%'.includes(type) && type !== '') {
    return formatNumber(intToNumber(plainInt(value)), spec, value);
  }
  if (!['', 'd', 'n', 'c', 'b', 'o', 'x', 'X'].includes(type)) throw unknownCode(type, value);
  if (spec.precision !== null) {
    throw valueError('Precision not allowed in integer format specifier');
  }
  if (spec.noNegativeZero) {
    throw valueError(
      'Negative zero coercion (z) not allowed in format specifier with integer format code',
    );
  }
  if (spec.grouping === ',' && (type in radixes || type === 'n' || type === 'c')) {
    throw valueError(`Cannot specify ',' with '${type}'.`);
  }
  const number = plainInt(value);
  if (type === 'c') return character(number, spec);
  const negative = number < 0;
  const radix = radixes[type] ?? 10;
  const size = negative ? -number : number;
  const digits = radix === 10 ? intText(size) : size.toString(radix);
  const prefix = spec.alternate && type in radixes ? `0${type}` : '';
  const every = type in radixes ? 4 : 3;
  return assemble(negative, prefix, type === 'X' ? digits.toUpperCase() : digits, '', every, spec);
};

const character = (number: number | bigint, spec: Spec): Text => {
  if (spec.sign !== '-') throw valueError("Sign not allowed with integer format specifier 'c'");
  if (number < 0 || number > 0x10ffff) {
    throw new PythonError('OverflowError', '%c arg not in range(0x110000)');
  }
  return align(String.fromCodePoint(Number(number)), spec.align === '' ? '<' : spec.align, spec);
};

const formatNumber = (value: number, spec: Spec, original: Value): Text => {
  const { type, precision, alternate } = spec;
  if (type !== '' && !'eEfFgGn%'.includes(type)) throw unknownCode(type, original);
  const size = Math.abs(type === '%' ? value * 100 : value);
  let text: string;
  if (type === '' && precision === null) text = floatRepr(size);
  else if (type === '') text = formatFloat(size, 'g', precision ?? 0, alternate, true);
  else {
    const kind = type === '%' ? 'f' : type === 'n' ? 'g' : type;
    text = formatFloat(size, kind, precision ?? 6, alternate);
  }
  let negative = value < 0 || Object.is(value, -0);
  if (spec.noNegativeZero && !/[1-9a-z]/i.test(text.replace(/e.*/i, ''))) negative = false;
  const [, digits = '', rest = ''] = /^(\d*)(.*)$/.exec(text) ?? [];
  return assemble(negative, '', digits, rest + (type === '%' ? '%' : ''), 3, spec);
};

/** Joins sign, prefix, grouped digits and the rest, padded to the width. */
const assemble = (
  negative: boolean,
  prefix: string,
  digits: string,
  rest: string,
  every: number,
  spec: Spec,
): Text => {
  const { sign, grouping, width, fill } = spec;
  const signed = (negative ? '-' : sign === '-' ? '' : sign) + prefix;
  const how = spec.align === '' ? '>' : spec.align;
  let body = group(digits, grouping, every);
  if (how !== '=') return align(signed + body + rest, how, spec);
  const room = width - signed.length - rest.length;
  if (fill === '0' && grouping !== '') {
    let filled = digits;
    while (group(filled, grouping, every).length < room) filled = `0${filled}`;
    body = group(filled, grouping, every);
  }
  return signed + repeated(fill, Math.max(0, room - body.length)) + body + rest;
};

const group = (digits: string, separator: string, every: number): string => {
  if (separator === '') return digits;
  const parts: string[] = [];
  for (let end = digits.length; end > 0; end -= every) {
    parts.unshift(digits.slice(Math.max(0, end - every), end));
  }
  return parts.join(separator);
};
