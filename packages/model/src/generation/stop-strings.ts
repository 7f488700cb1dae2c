/**
 * Finds the first of several strings in text that arrives in pieces, and holds back text that may
 * be the start of one.
 */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = '';

  /** @throws RangeError if one of them is empty */
  constructor(stops: readonly string[]) {
    if (stops.includes('')) throw new RangeError('a stop string must not be empty');
    this.#stops = stops;
  }

  /**
   * @returns text that certainly precedes any stop string, and whether one was found; text after it
   *   is dropped
   */
  push(piece: string): { text: string; stopped: boolean } {
    if (this.#stops.length === 0) return { text: piece, stopped: false };
    const text = this.#held + piece;
    // The first one to be completed counts, so that the result does not depend on how the text was
    // split.
    let first = { at: -1, end: Number.POSITIVE_INFINITY };
    for (const stop of this.#stops) {
      const at = text.indexOf(stop);
      const end = at + stop.length;
      if (at >= 0 && (end < first.end || (end === first.end && at < first.at))) first = { at, end };
    }
    if (first.at >= 0) {
      this.#held = '';
      return { text: text.slice(0, first.at), stopped: true };
    }
    const border = text.length - this.#beginnings(text);
    this.#held = text.slice(border);
    return { text: text.slice(0, border), stopped: false };
  }

  /** Returns the text that was held back, once no more text follows. */
  end(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  /** Length of the longest end of the text that starts a stop string. */
  #beginnings(text: string): number {
    const longest = Math.max(...this.#stops.map((stop) => stop.length - 1));
    for (let length = Math.min(longest, text.length); length > 0; length--) {
      const end = text.slice(text.length - length);
      if (this.#stops.some((stop) => stop.startsWith(end))) return length;
    }
    return 0;
  }
}
