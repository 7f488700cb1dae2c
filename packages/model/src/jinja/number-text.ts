// int() and float() of text.
import { valueError } from './errors.ts';
import { type Int, int } from './numbers.ts';
import { repr } from './repr.ts';
import { textOf } from './text.ts';
import { decimalValue, isDecimal, whitespace } from './unicode.ts';

const edges = new RegExp(`^[${whitespace}]+|[${whitespace}]+$`, 'g');

/** Converts decimal digits of other scripts to ASCII. */
const plainDigits = (text: string): string =>
  [...text]
    .map((character) =>
      character > '\x7f' && isDecimal(character) ? String(decimalValue(character)) : character,
    )
    .join('');

const radixes: Record<string, number> = { b: 2, o: 8, x: 16 };
const longestInt = 4300;

/** @throws PythonError if the text is not an int */
export const intOfText = (text: string, base: number): Int => {
  const fail = (): never => {
    throw valueError(`invalid literal for int() with base ${base}: ${textOf(repr(text))}`);
  };
  if (base !== 0 && (base < 2 || base > 36)) {
    throw valueError('int() base must be >= 2 and <= 36, or 0');
  }
  const match = /^([-+]?)(?:0([box])_?)?([\da-z]+(?:_[\da-z]+)*)$/i.exec(
    plainDigits(text.replace(edges, '')),
  );
  if (match === null) return fail();
  let [, sign, prefix, digits = ''] = match;
  let radix = base;
  if (prefix !== undefined) {
    const named = radixes[prefix.toLowerCase()]!;
    if (base === 0 || base === named) radix = named;
    else digits = `0${prefix}${digits}`;
  } else if (base === 0) {
    radix = 10;
    if (/^0+[1-9]/.test(digits.replaceAll('_', ''))) return fail();
  }
  const plain = digits.replaceAll('_', '').toLowerCase();
  if (radix === 10 && plain.length > longestInt) {
    throw valueError(
      `Exceeds the limit (${longestInt} digits) for integer string conversion: value has ${plain.length} digits; use sys.set_int_max_str_digits() to increase the limit`,
    );
  }
  let value = 0n;
  for (const digit of plain) {
    const number = Number.parseInt(digit, 36);
    if (number >= radix) return fail();
    value = value * BigInt(radix) + BigInt(number);
  }
  return int(sign === '-' ? -value : value);
};

const decimal =
  /^[-+]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:e[-+]?\d+(?:_\d+)*)?$/i;

/** @throws PythonError if the text is not a float */
export const floatOfText = (text: string): number => {
  const plain = plainDigits(text.replace(edges, ''));
  const word = /^([-+]?)(inf|infinity|nan)$/i.exec(plain);
  if (word !== null) {
    if (word[2]!.toLowerCase() === 'nan') return Number.NaN;
    return word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  if (decimal.test(plain)) return Number(plain.replaceAll('_', ''));
  throw valueError(`could not convert string to float: ${textOf(repr(text))}`);
};
