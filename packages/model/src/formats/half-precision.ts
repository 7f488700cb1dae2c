const value = new Float32Array(1);
const word = new Uint32Array(value.buffer);

/** The bits of a number in half precision, rounded to nearest with ties to even. */
export const halfBits = (number: number): number => {
  value[0] = number;
  const sign = (word[0]! >>> 16) & 0x8000;
  const size = word[0]! & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  // Numbers from 65520 are nearer to 2^16 than to the largest half.
  if (size >= 0x477ff000) return sign | 0x7c00;
  if (size < 0x38800000) return sign | evenlyRounded(Math.abs(value[0]!) * 2 ** 24);
  return sign | ((size + 0xfff + ((size >>> 13) & 1) - 0x38000000) >>> 13);
};

/** The nearest whole number; of two, the even one. */
const evenlyRounded = (number: number): number => {
  const below = Math.floor(number);
  const rest = number - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
};
