// Python indexes text by code point, JS by UTF-16 unit. They differ only in text with surrogate
// pairs.

const surrogates = /[\ud800-\udfff]/;

/** len(text). */
export const pointCount = (text: string): number => {
  if (!surrogates.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
};

/** Converts between code point indexes and UTF-16 offsets of one text. */
export class Points {
  readonly length: number;
  readonly #offsets: readonly number[] | null;

  constructor(text: string) {
    if (!surrogates.test(text)) {
      this.#offsets = null;
      this.length = text.length;
      return;
    }
    const offsets: number[] = [];
    let at = 0;
    for (const character of text) {
      offsets.push(at);
      at += character.length;
    }
    offsets.push(at);
    this.#offsets = offsets;
    this.length = offsets.length - 1;
  }

  /** The UTF-16 offset of a code point index from 0 to length. */
  unit(point: number): number {
    return this.#offsets === null ? point : this.#offsets[point]!;
  }

  /** The index of the code point at a UTF-16 offset. */
  point(unit: number): number {
    if (this.#offsets === null) return unit;
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#offsets[middle]! < unit) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Compares two texts by code point. */
export const compareText = (a: string, b: string): number => {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === length) return a.length - b.length;
  const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)];
  // Surrogates encode code points above all other units.
  const [high, other] = [(x & 0xf800) === 0xd800, (y & 0xf800) === 0xd800];
  if (high !== other) return high ? 1 : -1;
  return x - y;
};
