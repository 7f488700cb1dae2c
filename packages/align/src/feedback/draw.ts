import { splitMix64 } from '../data/shuffle.ts';

/**
 * Draws items for a row: principles of its rounds, or pairs of its answers. No item is repeated as
 * long as there are enough.
 * @param row from 0: every row has its own draws, wherever a job starts
 * @param rounds how many are drawn
 */
export function drawWithoutRepetition<Item>(
  items: readonly Item[],
  { seed, row, rounds }: { seed: number; row: number; rounds: number },
): Item[] {
  const start = splitMix64(BigInt(seed));
  const next = splitMix64(start() ^ splitMix64(BigInt(row) ^ 0x7072696e6369706cn)());
  const drawn: Item[] = [];
  let left: Item[] = [];
  while (drawn.length < rounds) {
    if (left.length === 0) left = [...items];
    const at = Number(next() % BigInt(left.length));
    drawn.push(...left.splice(at, 1));
  }
  return drawn;
}
