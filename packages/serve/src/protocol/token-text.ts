// Texts and bytes of single tokens, as log-probabilities show them.
import type { Tokenizer } from '@keel/model';

/** A token that other tokens are decoded after, so that a leading space is not lost. */
const anchorText = 'a';

/** Letters that stand for bytes in byte-level vocabularies (GPT-2's table). */
const byteOfLetter = new Map<string, number>();
for (let byte = 0, extra = 0; byte < 256; byte++) {
  const printable =
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  byteOfLetter.set(String.fromCharCode(printable ? byte : 256 + extra++), byte);
}

export class TokenTexts {
  readonly #tokenizer: Tokenizer;
  readonly #anchor: number | null;
  readonly #known = new Map<number, { text: string; bytes: number[] }>();

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
    this.#anchor = tokenizer.encode(anchorText).at(-1) ?? null;
  }

  /** A token's text; `bytes:\x…` for a part of a character, as OpenAI writes it. */
  text(token: number): string {
    return this.#find(token).text;
  }

  /** The bytes of its text in UTF-8. */
  bytes(token: number): number[] {
    return this.#find(token).bytes;
  }

  #find(token: number): { text: string; bytes: number[] } {
    let found = this.#known.get(token);
    if (found === undefined) {
      found = this.#decoded(token);
      this.#known.set(token, found);
    }
    return found;
  }

  #decoded(token: number): { text: string; bytes: number[] } {
    const tokenizer = this.#tokenizer;
    const anchored = this.#anchor === null ? [token] : [this.#anchor, token];
    const before = this.#anchor === null ? '' : tokenizer.decode([this.#anchor]);
    const text = tokenizer.decode(anchored).slice(before.length);
    if (!text.includes('\uFFFD')) return { text, bytes: [...Buffer.from(text)] };
    const stored = tokenizer.idToToken(token) ?? '';
    const [, hex] = /^<0x([0-9A-F]{2})>$/.exec(stored) ?? [];
    const letters = [...stored].map((letter) => byteOfLetter.get(letter));
    const bytes =
      hex !== undefined
        ? [Number.parseInt(hex, 16)]
        : letters.every((byte) => byte !== undefined)
          ? letters
          : [...Buffer.from(text)];
    const shown = bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
    return { text: `bytes:${shown}`, bytes };
  }
}
