// Filters that return numbers.

import { binary } from './binary.ts';
import { fixed, roundFloat } from './decimal.ts';
import { PythonError, typeError } from './errors.ts';
import { type Apply, attributeGetter, filter } from './filter-tools.ts';
import { floatOfText, intOfText } from './number-text.ts';
import {
  asIndex,
  float,
  floatValue,
  type Int,
  int,
  intToNumber,
  isNumber,
  plainInt,
  toNumber,
  truncateFloat,
} from './numbers.ts';
import { iterate, len, truthy } from './operators.ts';
import { isText, textOf } from './text.ts';
import { isFloat, isInt, PythonFloat, typeName, Undefined, type Value } from './values.ts';

/** int(value). */
const toInt = (value: Value, base: number): Int => {
  if (isText(value)) return intOfText(textOf(value), base);
  if (value instanceof Undefined) throw value.error();
  if (isInt(value)) return plainInt(value);
  if (isFloat(value)) return truncateFloat(floatValue(value));
  throw typeError(
    `int() argument must be a string, a bytes-like object or a real number, not '${typeName(value)}'`,
  );
};

/** float(value). */
const toFloat = (value: Value): number => {
  if (isText(value)) return floatOfText(textOf(value));
  if (value instanceof Undefined) throw value.error();
  if (isNumber(value)) return toNumber(value);
  throw typeError(`float() argument must be a string or a real number, not '${typeName(value)}'`);
};

const caught = (error: unknown, ...kinds: string[]): boolean =>
  error instanceof PythonError && kinds.includes(error.kind);

const intFilter = filter(
  'do_int',
  [['value'], ['default', 0], ['base', 10]],
  (value, fallback, base) => {
    try {
      return toInt(value!, isText(value!) ? asIndex(base!) : 10);
    } catch (error) {
      if (!caught(error, 'TypeError', 'ValueError')) throw error;
    }
    try {
      return truncateFloat(toFloat(value!));
    } catch (error) {
      if (!caught(error, 'TypeError', 'ValueError', 'OverflowError')) throw error;
      return fallback!;
    }
  },
);

const floatFilter = filter(
  'do_float',
  [['value'], ['default', new PythonFloat(0)]],
  (value, fallback) => {
    try {
      return float(toFloat(value!));
    } catch (error) {
      if (!caught(error, 'TypeError', 'ValueError')) throw error;
      return fallback!;
    }
  },
);

/** round() of an int to a power of ten, ties to even. */
const roundInt = (value: Int, places: number): Int => {
  if (places >= 0) return value;
  const unit = 10n ** BigInt(-places);
  const number = BigInt(value);
  const rest = ((number % unit) + unit) % unit;
  const low = number - rest;
  const up = rest * 2n > unit || (rest * 2n === unit && (low / unit) % 2n !== 0n);
  return int(up ? low + unit : low);
};

const roundFilter = filter(
  'do_round',
  [['value'], ['precision', 0], ['method', 'common']],
  (value, precision, method) => {
    const how = isText(method!) ? textOf(method) : '';
    if (!['common', 'ceil', 'floor'].includes(how)) {
      throw new PythonError('FilterArgumentError', 'method must be common, ceil or floor');
    }
    if (how === 'common') {
      if (isInt(value!)) return roundInt(plainInt(value), places(precision!));
      if (isFloat(value!)) return rounded(floatValue(value), places(precision!));
      throw typeError(`type ${typeName(value!)} doesn't define __round__ method`);
    }
    const factor = binary('**', 10, precision!);
    const scaled = binary('*', value!, factor);
    if (!isNumber(scaled)) throw typeError(`must be real number, not ${typeName(scaled)}`);
    const whole = isInt(scaled) ? plainInt(scaled) : towards(how, floatValue(scaled));
    return binary('/', whole, factor);
  },
);

/** A number of digits, clamped to what affects a float. */
const places = (value: Value): number =>
  isInt(value) ? Math.min(Math.max(Number(value), -5000), 5000) : asIndex(value);

const rounded = (value: number, places: number): Value => {
  const result = roundFloat(value, places);
  if (!Number.isFinite(result) && Number.isFinite(value)) {
    throw new PythonError('OverflowError', 'rounded value too large to represent');
  }
  return float(result);
};

const towards = (how: string, value: number): Int =>
  truncateFloat(how === 'ceil' ? Math.ceil(value) : Math.floor(value));

const abs = filter('abs', [['x']], (value) => {
  if (isInt(value!)) {
    const number = plainInt(value);
    return number < 0 ? -number : number;
  }
  if (isFloat(value!)) return float(Math.abs(floatValue(value)));
  throw typeError(`bad operand type for abs(): '${typeName(value!)}'`);
});

const sum = filter(
  'do_sum',
  [['iterable'], ['attribute', null], ['start', 0]],
  (value, attribute, start) => {
    if (isText(start!)) throw typeError("sum() can't sum strings [use ''.join(seq) instead]");
    const get = attribute === null ? (item: Value) => item : attributeGetter(attribute!);
    let total: Value = start!;
    for (const item of iterate(value!)) total = binary('+', total, get(item));
    return total;
  },
);

const units = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];

const filesizeformat = filter(
  'do_filesizeformat',
  [['value'], ['binary', false]],
  (value, binaryUnits) => {
    const bytes = toFloat(value!);
    const isBinary = truthy(binaryUnits!);
    const base = isBinary ? 1024 : 1000;
    if (bytes === 1) return '1 Byte';
    if (bytes < base) return `${truncateFloat(bytes)} Bytes`;
    let index = 0;
    while (index < units.length - 1 && !(bytes < intToNumber(BigInt(base) ** BigInt(index + 2))))
      index++;
    const unit = intToNumber(BigInt(base) ** BigInt(index + 2));
    const size = (base * bytes) / unit;
    const prefix = isBinary ? `${units[index]!.toUpperCase()}iB` : `${units[index]}B`;
    return `${size < 0 ? '-' : ''}${Number.isFinite(size) ? fixed(size, 1) : 'inf'} ${prefix}`;
  },
);

export const numberFilters: Record<string, Apply> = {
  abs,
  int: intFilter,
  float: floatFilter,
  round: roundFilter,
  sum,
  filesizeformat,
  length: filter('len', [['obj']], (value) => len(value!)),
  count: filter('len', [['obj']], (value) => len(value!)),
};
