// Words in sequence: how varied a text is in itself, and what it shares with others.

/** Lower-case words; each character of a script without spaces is a word. */
export const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .replace(/[’‘]/g, "'")
    .match(
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}]+)*/gu,
    ) ?? [];

/** Every sequence of `length` words, in order. */
export const sequences = (words: readonly string[], length: number): string[] =>
  Array.from({ length: Math.max(0, words.length - length + 1) }, (_, at) =>
    words.slice(at, at + length).join(' '),
  );

/**
 * Distinct-n (Li et al. 2016, arXiv:1510.03055): the share of a text's sequences of n words that
 * are distinct. It falls with the length of every text, so only the first `window` words count.
 * @returns 1 for a text without a sequence
 */
export function distinctShare(words: readonly string[], n: number, window = 100): number {
  const found = sequences(words.slice(0, window), n);
  return found.length === 0 ? 1 : new Set(found).size / found.length;
}

/** Words of a sequence that two answers have in common only if they follow one template. */
const TEMPLATE = 4;

/**
 * [A] The share of each answer's sequences of four words that an answer to another prompt has too;
 * 0 for an answer that is shorter.
 * @param prompts [A] the prompt of each answer
 */
export function templateShares(
  words: readonly (readonly string[])[],
  prompts: readonly string[],
): number[] {
  const all = words.map((own) => sequences(own, TEMPLATE));
  /** By sequence: its only prompt; null: it has several. */
  const owners = new Map<string, string | null>();
  for (const [index, own] of all.entries()) {
    for (const one of own) {
      const owner = owners.get(one);
      if (owner === undefined) owners.set(one, prompts[index]!);
      else if (owner !== prompts[index]) owners.set(one, null);
    }
  }
  return all.map((own) =>
    own.length === 0 ? 0 : own.filter((one) => owners.get(one) === null).length / own.length,
  );
}
