import { describe, expect, it } from 'vitest';
import { createStreamDecoder } from './stream-decoder.ts';

const utf8 = (ids: number[]): string => new TextDecoder().decode(Uint8Array.from(ids));
/** SentencePiece words: the very first space of a text is not part of it. */
const words = (ids: number[]): string =>
  ids
    .map((id) => ` w${id}`)
    .join('')
    .slice(1);

describe('createStreamDecoder', () => {
  it('holds a character back until its last byte arrives', () => {
    const stream = createStreamDecoder(utf8);
    const bytes = [...new TextEncoder().encode('a🚀é')];
    expect(bytes.map((byte) => stream.push(byte))).toEqual(['a', '', '', '', '🚀', '', 'é']);
    expect(stream.end()).toBe('');
  });

  it('returns text before an incomplete character at once', () => {
    const stream = createStreamDecoder(
      (ids) => ids.map((id) => ['ab\uFFFD', 'abé c'][id]).at(-1) ?? '',
    );
    expect(stream.push(0)).toBe('ab');
  });

  it('returns an incomplete character as a mark at the end, then resets', () => {
    const stream = createStreamDecoder(utf8);
    expect(stream.push(0x68)).toBe('h');
    expect(stream.push(0xf0)).toBe('');
    expect(stream.end()).toBe('\uFFFD');
    expect(stream.push(0x69)).toBe('i');
    expect(stream.end()).toBe('');
  });

  it('returns a genuine replacement mark with the text after it', () => {
    const stream = createStreamDecoder(utf8);
    const pieces = [...new TextEncoder().encode('\uFFFDx')].map((byte) => stream.push(byte));
    expect(pieces.join('') + stream.end()).toBe('\uFFFDx');
  });

  it('keeps spaces that only the first token of a text loses', () => {
    const stream = createStreamDecoder(words);
    expect([1, 2, 3].map((id) => stream.push(id))).toEqual(['w1', ' w2', ' w3']);
  });

  it('skips tokens without text', () => {
    const stream = createStreamDecoder((ids) => utf8(ids.filter((id) => id !== 0)));
    expect([0, 0x61, 0, 0, 0x62].map((id) => stream.push(id))).toEqual(['', 'a', '', '', 'b']);
  });
});
