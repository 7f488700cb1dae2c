// Recognises equal texts by a number, so that no text is stored in memory.
import { hash } from 'node:crypto';

/** The text without differences of case and white space. */
export const normalised = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/\s{2,}|[^\S ]/g, ' ')
    .trim();

/**
 * 53 bits of a text's hash. Among 10^6 texts, two different ones share a key with a probability of
 * 5e-5.
 */
export function textKey(text: string): number {
  const digest = hash('sha1', text, 'buffer');
  return digest.readUInt32BE(0) * 2 ** 21 + (digest.readUInt32BE(4) >>> 11);
}
