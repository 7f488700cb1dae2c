// The bytes that each token of a tokenizer adds to a text.
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import type { Component } from '../../tokenizer/tokenizer-json.ts';
import { ConstraintError } from '../language/constraint-error.ts';

export interface TokenBytes {
  /** By token; null: it adds no text of its own, such as a special token. */
  texts: (Uint8Array | null)[];
  /** Whether decoding removes a space at the start of a text. */
  skipsSpace: boolean;
}

/**
 * @param textTokens special tokens that are text
 * @throws ConstraintError if the tokenizer's decoder does not have a form whose bytes are known
 */
export function tokenBytes(tokenizer: Tokenizer, textTokens: ReadonlySet<string>): TokenBytes {
  const bytesOf = reader(tokenizer);
  const added = new Map(tokenizer.json.added_tokens.map(({ content }) => [content, true]));
  const texts = Array.from({ length: tokenizer.vocabSize }, (_, id) => {
    const token = tokenizer.idToToken(id);
    if (token === null || token === '') return null;
    if (tokenizer.specialTokenIds.has(id) && !textTokens.has(token)) return null;
    return bytesOf(token, added.has(token));
  });
  return { texts, skipsSpace: skipsSpace(tokenizer) };
}

/** Readers of the parts of a decoder that turn tokens into text. */
function reader(tokenizer: Tokenizer): (token: string, added: boolean) => Uint8Array {
  const parts = flatParts(tokenizer.json.decoder ?? null);
  const types = parts.map(({ type }) => type);
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
  if (types.join() === 'ByteLevel') {
    const alphabet = byteAlphabet();
    return (token) => {
      const bytes = Array.from(token, (one) => alphabet.get(one));
      return bytes.includes(undefined) ? utf8(token) : Uint8Array.from(bytes as number[]);
    };
  }
  const known = ['Metaspace', 'Replace', 'ByteFallback', 'Fuse', 'Strip'];
  const replacements = parts.filter(({ type }) => type === 'Replace');
  const plain = replacements.every(
    ({ pattern, content }) =>
      (pattern as { String?: string } | undefined)?.String === '▁' && content === ' ',
  );
  const spaced = types.includes('Metaspace') || replacements.length > 0;
  if (!spaced || !plain || types.some((type) => !known.includes(type))) {
    throw new ConstraintError(
      `constrained output needs a byte-level or SentencePiece tokenizer; this one decodes with ${
        types.join(', ') || 'nothing'
      }`,
    );
  }
  const fallback = types.includes('ByteFallback');
  return (token, added) => {
    const byte = fallback && !added ? /^<0x([0-9A-Fa-f]{2})>$/.exec(token) : null;
    return byte === null ? utf8(token.replaceAll('▁', ' ')) : Uint8Array.of(Number(`0x${byte[1]}`));
  };
}

function flatParts(decoder: Component | null): Component[] {
  if (decoder === null) return [];
  if (decoder.type !== 'Sequence') return [decoder];
  return ((decoder.decoders as Component[] | undefined) ?? []).flatMap(flatParts);
}

/** How byte-level tokenizers write bytes: printable ones stand for themselves. */
function byteAlphabet(): Map<string, number> {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const alphabet = new Map<string, number>();
  let others = 0;
  for (let byte = 0; byte < 256; byte++) {
    alphabet.set(String.fromCodePoint(printable(byte) ? byte : 256 + others++), byte);
  }
  return alphabet;
}

/** Found out by decoding: a token that starts with a space loses it only at the start. */
function skipsSpace(tokenizer: Tokenizer): boolean {
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    if (!/^▁[a-z]/.test(tokenizer.idToToken(id) ?? '')) continue;
    return !tokenizer.decode([id]).startsWith(' ') && tokenizer.decode([id, id]).includes(' ');
  }
  return false;
}
