// Which rows each head of an ensemble learns from. Heads on one model that learnt from the same
// rows would be nearly one function, and their spread would tell of nothing but where each began
// (Lakshminarayanan et al. 2017, arXiv:1612.01474, find the beginning enough for whole networks,
// not for heads); so each draws its own share of the rows.
import { createHash } from 'node:crypto';

export interface HeadSubsets {
  seed: number;
  /** Share of the rows that a head sees, above 0 and at most 1. */
  share: number;
}

/** Whether a head learns from a row: the same at every visit and after a resume. */
export function seesRow({ seed, share }: HeadSubsets, head: number, row: number): boolean {
  if (share >= 1) return true;
  const drawn = createHash('sha256').update(`${seed}/${head}/${row}`).digest().readUInt32LE();
  return drawn / 2 ** 32 < share;
}
