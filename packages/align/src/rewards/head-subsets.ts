// Chooses the rows that each head of an ensemble is trained on. Heads on one model that are trained
// on the same rows would be nearly the same function, and their spread would only show where each
// one started (Lakshminarayanan et al. 2017, arXiv:1612.01474, find the initialisation sufficient
// for whole networks, not for heads). So each head draws its own share of the rows.
import { createHash } from 'node:crypto';

export interface HeadSubsets {
  seed: number;
  /** Share of the rows that a head sees, above 0 and at most 1. */
  share: number;
}

/** Whether a head is trained on a row: the same at every visit and after a resume. */
export function seesRow({ seed, share }: HeadSubsets, head: number, row: number): boolean {
  if (share >= 1) return true;
  const drawn = createHash('sha256').update(`${seed}/${head}/${row}`).digest().readUInt32LE();
  return drawn / 2 ** 32 < share;
}
