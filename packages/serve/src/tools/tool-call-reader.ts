import type { ToolCall, ToolFormat } from './tool-formats.ts';

/** Separates the text of an answer, piece by piece, from the tool calls in it. */
export class ToolCallReader {
  readonly #format: ToolFormat;
  /** Text that is, or may become, a call. */
  #held = '';
  #calling = false;
  #given = '';

  constructor(format: ToolFormat) {
    this.#format = format;
  }

  /** @returns text that is certainly no call */
  push(piece: string): string {
    this.#held += piece;
    if (this.#calling) return '';
    const { marks, wholeAnswer } = this.#format;
    if (wholeAnswer && this.#given.trim() !== '') return this.#give(this.#held.length);
    const found = marks.map((mark) => this.#held.indexOf(mark)).filter((at) => at >= 0);
    const at = Math.min(...found);
    if (Number.isFinite(at) && (!wholeAnswer || this.#held.slice(0, at).trim() === '')) {
      this.#calling = true;
      return this.#give(at);
    }
    return this.#give(this.#held.length - this.#beginning());
  }

  /** The rest of the text, and the calls. Text that looks like a call and is none is text. */
  end(): { text: string; calls: ToolCall[] } {
    const parsed = this.#calling ? this.#format.parse(this.#held) : null;
    return parsed === null
      ? { text: this.#held, calls: [] }
      : { text: parsed.rest, calls: parsed.calls };
  }

  #give(length: number): string {
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    this.#given += text;
    return text;
  }

  /** Length of the end of the held text that may be the start of a mark. */
  #beginning(): number {
    const lengths = this.#format.marks.map((mark) => {
      for (let length = Math.min(mark.length - 1, this.#held.length); length > 0; length--) {
        if (this.#held.endsWith(mark.slice(0, length))) return length;
      }
      return 0;
    });
    return Math.max(...lengths);
  }
}
