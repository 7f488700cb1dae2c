// Ranges of characters as ranges of their UTF-8 bytes.
import type { Characters, Range } from '../language/characters.ts';

/** Ranges of the first, second, … byte of some characters. */
export type ByteRanges = readonly Range[];

const lengthEnds = [0x7f, 0x7ff, 0xffff, 0x10ffff];

const bytesOf = (codePoint: number): number[] => [
  ...new TextEncoder().encode(String.fromCodePoint(codePoint)),
];

/**
 * The bytes of characters: each of these matches some of them, byte by byte. The first ranges of
 * two are equal or disjoint.
 */
export function byteRanges(set: Characters): ByteRanges[] {
  return set.flatMap(([low, high]) => {
    const found: ByteRanges[] = [];
    let start = low;
    for (const end of lengthEnds) {
      if (start > high) break;
      if (start > end) continue;
      const last = Math.min(high, end);
      found.push(...split(bytesOf(start), bytesOf(last)));
      start = last + 1;
    }
    return found;
  });
}

/** Splits a range of texts of the same length so that bytes after the first vary freely. */
function split(low: readonly number[], high: readonly number[]): ByteRanges[] {
  if (low.length === 1) return [[[low[0]!, high[0]!]]];
  const [first, ...lowRest] = low as [number, ...number[]];
  const [last, ...highRest] = high as [number, ...number[]];
  const lowest = lowRest.map(() => 0x80);
  const highest = lowRest.map(() => 0xbf);
  const within = (byte: number, from: number[], to: number[]): ByteRanges[] =>
    split(from, to).map((rest) => [[byte, byte], ...rest]);
  if (first === last) return within(first, lowRest, highRest);
  const found: ByteRanges[] = [];
  const startsLow = lowRest.every((byte) => byte === 0x80);
  const endsHigh = highRest.every((byte) => byte === 0xbf);
  if (!startsLow) found.push(...within(first, lowRest, highest));
  const from = startsLow ? first : first + 1;
  const to = endsHigh ? last : last - 1;
  if (from <= to) found.push([[from, to], ...lowRest.map((): Range => [0x80, 0xbf])]);
  if (!endsHigh) found.push(...within(last, lowest, highRest));
  return found;
}
