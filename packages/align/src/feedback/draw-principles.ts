import { splitMix64 } from '../data/shuffle.ts';

/**
 * Draws the principles of a prompt's rounds, without repetition as long as there are enough.
 * @param row of the prompt, from 0: every prompt has its own draws, wherever a job starts
 * @returns one principle per round
 */
export function drawPrinciples<Principle>(
  principles: readonly Principle[],
  { seed, row, rounds }: { seed: number; row: number; rounds: number },
): Principle[] {
  const start = splitMix64(BigInt(seed));
  const next = splitMix64(start() ^ splitMix64(BigInt(row) ^ 0x7072696e6369706cn)());
  const drawn: Principle[] = [];
  let left: Principle[] = [];
  while (drawn.length < rounds) {
    if (left.length === 0) left = [...principles];
    const at = Number(next() % BigInt(left.length));
    drawn.push(...left.splice(at, 1));
  }
  return drawn;
}
