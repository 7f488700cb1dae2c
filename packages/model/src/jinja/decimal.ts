// Decimal text of floats as Python writes it: the shortest that round-trips, and exact digits
// rounded half to even.

interface Digits {
  /** Decimal digits without a point. */
  digits: string;
  /** Power of ten of the first digit. */
  exponent: number;
}

/** The shortest digits that round-trip. */
const shortest = (value: number): Digits => {
  const [mantissa, exponent] = value.toExponential().split('e');
  return { digits: mantissa!.replace('.', ''), exponent: Number(exponent) };
};

/** repr() of a float. */
export const floatRepr = (value: number): string => {
  if (Number.isNaN(value)) return 'nan';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (!Number.isFinite(value)) return `${sign}inf`;
  const { digits, exponent } = shortest(Math.abs(value));
  if (exponent < -4 || exponent >= 16) return sign + scientific(digits, exponent);
  const text = positional(digits, exponent);
  return sign + (text.includes('.') ? text : `${text}.0`);
};

/** `d.ddde+XX`, with at least two digits of exponent. */
export const scientific = (
  digits: string,
  exponent: number,
  letter = 'e',
  point = false,
): string => {
  const rest = digits.slice(1);
  const power = String(Math.abs(exponent)).padStart(2, '0');
  const dot = rest !== '' || point ? '.' : '';
  return `${digits[0]}${dot}${rest}${letter}${exponent < 0 ? '-' : '+'}${power}`;
};

export const positional = (digits: string, exponent: number): string => {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const rest = digits.slice(exponent + 1);
  return rest === '' ? whole : `${whole}.${rest}`;
};

const view = new DataView(new ArrayBuffer(8));

/** A finite float as mantissa × 2^exponent. */
export const exactly = (value: number): { mantissa: bigint; exponent: number } => {
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const power = Number(bits >> 52n) & 0x7ff;
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = power === 0 ? fraction : fraction | (1n << 52n);
  return { mantissa: value < 0 ? -mantissa : mantissa, exponent: (power || 1) - 1075 };
};

/** numerator / denominator rounded to an integer, ties to even. Both are at least 0. */
const divideRounded = (numerator: bigint, denominator: bigint): bigint => {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
};

/** |value| × 10^places, rounded to an integer. */
export const scaled = (value: number, places: number): bigint => {
  const { mantissa, exponent } = exactly(Math.abs(value));
  let numerator = mantissa;
  let denominator = 1n;
  if (exponent >= 0) numerator <<= BigInt(exponent);
  else denominator <<= BigInt(-exponent);
  if (places >= 0) numerator *= 10n ** BigInt(places);
  else denominator *= 10n ** BigInt(-places);
  return divideRounded(numerator, denominator);
};

/** |value| with `places` digits after the point. */
export const fixed = (value: number, places: number): string => {
  const digits = scaled(value, places)
    .toString()
    .padStart(places + 1, '0');
  if (places === 0) return digits;
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
};

/** |value| rounded to `count` digits, at least 1. */
export const significant = (value: number, count: number): Digits => {
  if (value === 0) return { digits: '0'.repeat(count), exponent: 0 };
  const { exponent } = shortest(Math.abs(value));
  // The shortest form may be rounded up to the next power of ten.
  for (const power of [exponent - 1, exponent, exponent + 1]) {
    const digits = scaled(value, count - 1 - power).toString();
    if (digits.length === count) return { digits, exponent: power };
  }
  throw new RangeError(`${value} has no form with ${count} digits`);
};

/** round(value, places) of a float. */
export const roundFloat = (value: number, places: number): number => {
  if (!Number.isFinite(value) || places > 323) return value;
  if (places < -308) return value < 0 ? -0 : 0;
  const digits = scaled(value, places);
  const rounded = Number(`${digits}e${-places}`);
  return value < 0 || Object.is(value, -0) ? -rounded : rounded;
};
