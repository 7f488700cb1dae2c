/**
 * Describes the fault in the `precompiled_charsmap` of a Precompiled normalizer, or returns null.
 * The Rust library ends the whole process on a damaged one.
 *
 * Its bytes: the size of a double-array trie, the trie's 32-bit units, and the replacements, each
 * terminated by a NUL. The trie's values are offsets into the replacements.
 */
export function charsmapFault(base64: unknown): string | null {
  if (typeof base64 !== 'string') return 'is not text';
  // Buffer.from skips characters that are not base64.
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0) return 'is not base64';
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length < 4) return 'is too short';
  const size = bytes.readUInt32LE(0);
  if (size === 0 || size % 4 !== 0 || size > bytes.length - 4) {
    return `claims a trie of ${size} bytes, and has ${bytes.length - 4}`;
  }
  const replacements = bytes.subarray(4 + size);
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(replacements);
  } catch {
    return 'has replacements that are not UTF-8';
  }
  const units = size / 4;
  const unitAt = (index: number): number => bytes.readUInt32LE(4 + 4 * index);
  for (let index = 0; index < units; index += 1) {
    const unit = unitAt(index);
    // Leaves hold values; the root is not a leaf.
    if (unit >= 0x80000000 && index > 0) continue;
    const children = (index ^ ((unit >>> 10) << ((unit & 0x200) >>> 6))) >>> 0;
    if ((children | 0xff) >= units) return `has a trie that leads out of itself at unit ${index}`;
    if ((unit & 0x100) === 0) continue;
    const value = unitAt(children) & 0x7fffffff;
    const isInside = value < replacements.length && (replacements[value]! & 0xc0) !== 0x80;
    if (!isInside && value !== replacements.length) {
      return `has no replacement at ${value}, to which unit ${index} leads`;
    }
  }
  return null;
}
