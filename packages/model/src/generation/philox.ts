// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): random numbers
// as a function of a counter. A sample's draws therefore depend only on its own indices, not on
// what else is in the batch.

/** High and low half of a product of two 32-bit numbers. */
function multiply(a: number, b: number): [number, number] {
  const low = Math.imul(a, b) >>> 0;
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle % 0x10000);
  const high = aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000);
  return [high >>> 0, low];
}

/** Four 32-bit numbers from a counter (four 32-bit numbers) and a key (two). */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [a, b, c, d] = counter;
  let [first, second] = key;
  for (let round = 0; round < 10; round++) {
    const [aHigh, aLow] = multiply(0xd2511f53, a);
    const [cHigh, cLow] = multiply(0xcd9e8d57, c);
    [a, b, c, d] = [(cHigh ^ b ^ first) >>> 0, cLow, (aHigh ^ d ^ second) >>> 0, aLow];
    first = (first + 0x9e3779b9) >>> 0;
    second = (second + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}

/**
 * A number in [0, 1) with 53 random bits, as a function of the seed and of the draw's indices.
 * @param seed a whole number from 0 to 2^53 - 1
 */
export function uniformFor(
  seed: number,
  promptIndex: number,
  sampleIndex: number,
  step: number,
): number {
  const [high, low] = philox(
    [promptIndex, sampleIndex, step, 0],
    [seed >>> 0, Math.floor(seed / 2 ** 32)],
  );
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}
