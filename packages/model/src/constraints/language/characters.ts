// Sets of Unicode characters: sorted, disjoint ranges of code points without surrogates.

/** First and last code point of a range, both included. */
export type Range = readonly [number, number];
export type Characters = readonly Range[];

const LAST = 0x10ffff;

/** Every character; surrogates are none. */
export const everyCharacter: Characters = [
  [0, 0xd7ff],
  [0xe000, LAST],
];

/** Sorts ranges, joins those that touch, and removes surrogates. */
export function characters(ranges: Iterable<Range>): Characters {
  const sorted = [...ranges].filter(([low, high]) => low <= high).sort(([a], [b]) => a - b);
  const joined: [number, number][] = [];
  for (const [low, high] of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else joined.push([low, high]);
  }
  return intersection(joined, everyCharacter);
}

export function intersection(a: Characters, b: Characters): Characters {
  const found: Range[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const low = Math.max(a[i]![0], b[j]![0]);
    const high = Math.min(a[i]![1], b[j]![1]);
    if (low <= high) found.push([low, high]);
    if (a[i]![1] < b[j]![1]) i++;
    else j++;
  }
  return found;
}

export function complement(set: Characters): Characters {
  const found: Range[] = [];
  let next = 0;
  for (const [low, high] of set) {
    found.push([next, low - 1]);
    next = high + 1;
  }
  return characters([...found, [next, LAST]]);
}

export const difference = (a: Characters, b: Characters): Characters =>
  intersection(a, complement(b));

/** The set of the characters in a text. */
export const charactersOf = (text: string): Characters =>
  characters(Array.from(text, (one): Range => [one.codePointAt(0)!, one.codePointAt(0)!]));

/** Splits sets into the coarsest disjoint sets that each of them is a union of. */
export function partition(sets: readonly Characters[]): Range[] {
  const borders = new Set<number>();
  for (const set of sets) {
    for (const [low, high] of set) borders.add(low).add(high + 1);
  }
  const sorted = [...borders].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((low, at): Range => [low, sorted[at + 1]! - 1]);
}
