// Arithmetic of Python's int and float.
import { PythonError, typeError, unsupported, valueError } from './errors.ts';
import { isFloat, isInt, PythonFloat, typeName, type Value } from './values.ts';

export type Int = number | bigint;
export type Float = number | PythonFloat;

/** Converts a bigint to an int value. */
export const int = (value: bigint): Int => {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
};

/** Converts a JS number to a float value. */
export const float = (value: number): Float =>
  Number.isSafeInteger(value) ? new PythonFloat(value) : value;

/** Converts an int or bool to an int. */
export const plainInt = (value: boolean | number | bigint): Int =>
  typeof value === 'boolean' ? Number(value) : value;

export const floatValue = (value: Float): number =>
  typeof value === 'number' ? value : value.value;

/** float(value) of an int. @throws PythonError if it is too large */
export const intToNumber = (value: boolean | number | bigint): number => {
  const number = Number(value);
  if (Number.isFinite(number)) return number;
  throw new PythonError('OverflowError', 'int too large to convert to float');
};

export const isNumber = (value: Value): value is boolean | number | bigint | PythonFloat =>
  isInt(value) || isFloat(value);

/** Converts any number to a JS number for float arithmetic. */
export const toNumber = (value: boolean | number | bigint | PythonFloat): number =>
  isFloat(value) ? floatValue(value) : intToNumber(value as boolean | number | bigint);

/**
 * The value of an int that Python uses as an index or a count. @throws PythonError if it is not an
 * int
 */
export const asIndex = (value: Value): number => {
  if (isInt(value)) {
    const number = Number(value);
    if (Math.abs(number) < 2 ** 63) return number;
    throw new PythonError('OverflowError', "cannot fit 'int' into an index-sized integer");
  }
  throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`);
};

type Number2<T> = (a: T, b: T) => Value;

interface Operation {
  small: (a: number, b: number) => number;
  big: (a: bigint, b: bigint) => bigint;
}

const exact =
  ({ small, big }: Operation): Number2<Int> =>
  (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') {
      const result = small(a, b);
      // Adding 0 turns -0 into 0, which is the only zero of ints.
      if (Number.isSafeInteger(result)) return result + 0;
    }
    return int(big(BigInt(a), BigInt(b)));
  };

const addInts = exact({ small: (a, b) => a + b, big: (a, b) => a + b });
const subtractInts = exact({ small: (a, b) => a - b, big: (a, b) => a - b });
const multiplyInts: Number2<Int> = (a, b) => {
  if (typeof a === 'bigint' && typeof b === 'bigint' && bitLength(a) + bitLength(b) > largestBits) {
    throw new PythonError('OverflowError', 'the result of * is too large');
  }
  return multiplySmall(a, b);
};
const multiplySmall = exact({ small: (a, b) => a * b, big: (a, b) => a * b });

const zeroDivision = (message: string): PythonError =>
  new PythonError('ZeroDivisionError', message);

const floorDivideInts: Number2<Int> = (a, b) => {
  if (Number(b) === 0) throw zeroDivision('integer division or modulo by zero');
  const [x, y] = [BigInt(a), BigInt(b)];
  const quotient = x / y;
  return int(x % y !== 0n && x < 0n !== y < 0n ? quotient - 1n : quotient);
};

const moduloInts: Number2<Int> = (a, b) => {
  if (Number(b) === 0) throw zeroDivision('integer modulo by zero');
  if (typeof a === 'number' && typeof b === 'number') {
    const rest = a % b;
    return (rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest) + 0;
  }
  const [x, y] = [BigInt(a), BigInt(b)];
  const rest = x % y;
  return int(rest !== 0n && rest < 0n !== y < 0n ? rest + y : rest);
};

const bitLength = (value: bigint): number => (value < 0n ? -value : value).toString(2).length;

/** a / b of ints, correctly rounded. */
const divideInts: Number2<Int> = (a, b) => {
  if (Number(b) === 0) throw zeroDivision('division by zero');
  if (typeof a === 'number' && typeof b === 'number') return float(a / b);
  const negative = BigInt(a) < 0n !== BigInt(b) < 0n;
  const x = BigInt(a) < 0n ? -BigInt(a) : BigInt(a);
  const y = BigInt(b) < 0n ? -BigInt(b) : BigInt(b);
  // The quotient has about 66 bits; its lowest bit also stands for the remainder, so that rounding
  // is right.
  const shift = 66 - (bitLength(x) - bitLength(y));
  const [up, down] = shift >= 0 ? [x << BigInt(shift), y] : [x, y << BigInt(-shift)];
  const quotient = (up / down) | (up % down === 0n ? 0n : 1n);
  const half = Math.trunc(-shift / 2);
  const result = Number(quotient) * 2 ** half * 2 ** (-shift - half);
  if (!Number.isFinite(result)) {
    throw new PythonError('OverflowError', 'integer division result too large for a float');
  }
  return float(negative ? -result : result);
};

const divideFloats: Number2<number> = (a, b) => {
  if (b === 0) throw zeroDivision('float division by zero');
  return float(a / b);
};

const moduloFloats: Number2<number> = (a, b) => {
  if (b === 0) throw zeroDivision('float modulo');
  return float(floatRest(a, b));
};

const floatRest = (a: number, b: number): number => {
  const rest = a % b;
  if (rest === 0) return b < 0 ? -0 : 0;
  return rest < 0 !== b < 0 ? rest + b : rest;
};

const floorDivideFloats: Number2<number> = (a, b) => {
  if (b === 0) throw zeroDivision('float floor division by zero');
  const rest = a % b;
  let quotient = (a - rest) / b;
  if (rest !== 0 && rest < 0 !== b < 0) quotient -= 1;
  if (quotient === 0) return float(a / b < 0 || Object.is(a / b, -0) ? -0 : 0);
  const floor = Math.floor(quotient);
  return float(quotient - floor > 0.5 ? floor + 1 : floor);
};

// A larger result is a mistake or an attack.
const largestBits = 1 << 16;

const powerInts: Number2<Int> = (a, b) => {
  if (Number(b) < 0) {
    if (Number(a) === 0) {
      throw zeroDivision('0.0 cannot be raised to a negative power');
    }
    return powerFloats(intToNumber(a), intToNumber(b));
  }
  const size = bitLength(BigInt(a)) * Number(b);
  if (size > largestBits && Math.abs(Number(a)) > 1) {
    throw new PythonError('OverflowError', 'the result of ** is too large');
  }
  if (Math.abs(Number(a)) <= 1)
    return Number(a) ** (Number(b) === 0 ? 0 : Number(BigInt(b) % 2n) + 2);
  return int(BigInt(a) ** BigInt(b));
};

const powerFloats: Number2<number> = (a, b) => {
  // Where IEEE 754 and Python differ from JS.
  if (a === 1 || b === 0) return float(1);
  if (a === -1 && !Number.isFinite(b) && !Number.isNaN(b)) return float(1);
  if (a === 0 && b < 0) throw zeroDivision('0.0 cannot be raised to a negative power');
  if (a < 0 && Number.isFinite(a) && Number.isFinite(b) && !Number.isInteger(b)) {
    throw unsupported(
      'a negative number to a fractional power is a complex number, which is not supported',
    );
  }
  const result = a ** b;
  if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b)) {
    throw new PythonError('OverflowError', "(34, 'Numerical result out of range')");
  }
  return float(result);
};

export type Operator = '+' | '-' | '*' | '/' | '//' | '%' | '**';

const intOperators: Record<Operator, Number2<Int>> = {
  '+': addInts,
  '-': subtractInts,
  '*': multiplyInts,
  '/': divideInts,
  '//': floorDivideInts,
  '%': moduloInts,
  '**': powerInts,
};

const floatOperators: Record<Operator, Number2<number>> = {
  '+': (a, b) => float(a + b),
  '-': (a, b) => float(a - b),
  '*': (a, b) => float(a * b),
  '/': divideFloats,
  '//': floorDivideFloats,
  '%': moduloFloats,
  '**': powerFloats,
};

/** The result if both operands are numbers, else undefined. */
export const arithmetic = (operator: Operator, a: Value, b: Value): Value | undefined => {
  if (!isNumber(a) || !isNumber(b)) return undefined;
  if (isInt(a) && isInt(b)) return intOperators[operator](plainInt(a), plainInt(b));
  return floatOperators[operator](toNumber(a), toNumber(b));
};

/** Returns -1, 0 or 1, or NaN if either is NaN. */
export const compareNumbers = (
  a: boolean | number | bigint | PythonFloat,
  b: boolean | number | bigint | PythonFloat,
): number => {
  const x = isFloat(a) ? floatValue(a) : plainInt(a as boolean | number | bigint);
  const y = isFloat(b) ? floatValue(b) : plainInt(b as boolean | number | bigint);
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  // JS compares bigints with numbers exactly.
  return x < y ? -1 : x > y ? 1 : 0;
};

/** int(value) of a float. */
export const truncateFloat = (value: number): Int => {
  if (Number.isNaN(value)) throw valueError('cannot convert float NaN to integer');
  if (!Number.isFinite(value)) {
    throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
  }
  return int(BigInt(Math.trunc(value)));
};
