import type { Decoder, Normalizer } from 'tokenizers';
import type { TextPosition } from './encoding-protocol.ts';
import { type EncodingThread, encodingThread } from './encoding-thread.ts';
import { unknownPatterns } from './known-patterns.ts';
import { loadError } from './library-error.ts';
import { libraryWith } from './library-tokenizer.ts';
import { positionedComponents } from './positioned-components.ts';
import { TokenizerError } from './tokenizer-error.ts';
import type { TokenizerJson } from './tokenizer-json.ts';
import { Vocabulary } from './vocabulary.ts';

/** The tokens of a text, with the part of the text that each stands for. */
export interface PlacedTokens {
  ids: ArrayLike<number>;
  /** UTF-16 offsets into the text. */
  starts: ArrayLike<number>;
  ends: ArrayLike<number>;
}

/**
 * The Rust library's tokenizer for a tokenizer.json, with synchronous calls. It encodes in the
 * {@link encodingThread}; vocabulary and decoder, which decoding needs, are held here.
 */
export class RustTokenizer {
  /** Ids that the post-processor puts before a text (bos). */
  readonly prefix: readonly number[];
  readonly vocabulary: Vocabulary;
  /** Whether a text at the start is processed differently from one that follows other text. */
  readonly prefixesTexts: { byNormalizer: boolean; byPreTokenizer: boolean };
  readonly #where: string;
  readonly #thread: EncodingThread;
  readonly #number: number;
  readonly #decoder: Decoder | null;
  readonly #normalizerJson: TokenizerJson['normalizer'];
  #normalizer: Normalizer | null = null;

  /**
   * @param json checked
   * @param text the same as text
   * @throws TokenizerError if the library rejects it
   */
  constructor(json: TokenizerJson, text: string, where: string) {
    this.#where = where;
    this.#normalizerJson = json.normalizer;
    this.#thread = encodingThread();
    const components = positionedComponents(json);
    this.prefixesTexts = {
      byNormalizer: components.unprefixedNormalizer !== undefined,
      byPreTokenizer: components.unprefixedPreTokenizer !== undefined,
    };
    const addedTokens = json.added_tokens.map(({ content }) => content);
    const patterns = unknownPatterns(json);
    this.#number = this.#thread.load({ json: text, components, addedTokens, patterns }, this);
    try {
      // Built while the thread loads the tokenizer.
      this.vocabulary = new Vocabulary(json);
      const description = this.#thread.ask({ kind: 'describe', tokenizer: this.#number });
      this.vocabulary.addTokens(addedTokens, description);
      this.prefix = description.prefix;
      this.#decoder = json.decoder ? libraryWith({ decoder: json.decoder }).getDecoder() : null;
    } catch (error) {
      if (error instanceof TokenizerError) throw error;
      throw loadError(json, where, error as Error);
    }
  }

  /** Ids of each text as a separate text, without {@link prefix}. @throws TokenizerError */
  encode(texts: readonly string[]): number[][] {
    const { counts, ids } = this.#ask(texts, 'start', false);
    return ranges(counts).map(([from, to]) => Array.from(ids.subarray(from, to)));
  }

  /** Tokens and offsets of each separate text, without {@link prefix}. @throws TokenizerError */
  place(texts: readonly string[], position: TextPosition): PlacedTokens[] {
    const { counts, ids, starts, ends } = this.#ask(texts, position, true);
    return ranges(counts).map(([from, to]) => ({
      ids: ids.subarray(from, to),
      starts: starts!.subarray(from, to),
      ends: ends!.subarray(from, to),
    }));
  }

  /** Applies the normalizer to a text. */
  normalize(text: string): string {
    if (!this.#normalizerJson) return text;
    this.#normalizer ??= libraryWith({ normalizer: this.#normalizerJson }).getNormalizer();
    return this.#normalizer?.normalizeString(text) ?? text;
  }

  /** Decodes tokens, at least one. */
  decode(tokens: string[]): string {
    return this.#decoder ? this.#decoder.decode(tokens) : tokens.join(' ');
  }

  #ask(texts: readonly string[], position: TextPosition, offsets: boolean) {
    if (texts.some(hasEndlessSpace)) {
      throw new TokenizerError(
        this.#where,
        `cannot encode a text with ${LONGEST_SPACE} or more characters of white space in a row`,
      );
    }
    try {
      return this.#thread.ask({
        kind: 'encode',
        tokenizer: this.#number,
        texts,
        position,
        offsets,
      });
    } catch (error) {
      if (error instanceof TokenizerError) throw error;
      const { message } = error as Error;
      throw new TokenizerError(this.#where, `cannot encode a text: ${message}`, { cause: error });
    }
  }
}

// The patterns of model families retry at each white space of a run, and the library's regular
// expressions end the process after ten million attempts.
const LONGEST_SPACE = 3_000_000;

const hasEndlessSpace = (text: string): boolean =>
  text.length >= LONGEST_SPACE &&
  Array.from(text.matchAll(/\p{White_Space}+/gu)).some(([run]) => run.length >= LONGEST_SPACE);

/** Start and end of several consecutive runs. */
const ranges = (counts: readonly number[]): [number, number][] => {
  let end = 0;
  return counts.map((count) => {
    end += count;
    return [end - count, end];
  });
};
