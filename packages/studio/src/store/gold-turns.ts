// Which of a person's tasks are ones whose right verdict is known. The turns are fixed for each
// person, so that the number of tasks that are left counts down by one with each verdict: otherwise
// it would say which ones are gold.
import { keyOf } from './ids.ts';

const seeds = new Map<string, number>();

function seedOf(project: string, person: string): number {
  const name = `${project} ${person}`;
  let seed = seeds.get(name);
  if (seed === undefined) {
    seed = Buffer.from(keyOf('gold', project, person)).readUInt32LE(4);
    if (seeds.size > 10_000) seeds.clear();
    seeds.set(name, seed);
  }
  return seed;
}

/** Whether a person's task of this number, from 0, is a gold one. */
export const isGoldTurn = (project: string, person: string, turn: number, share: number): boolean =>
  mixed(seedOf(project, person) + Math.imul(turn, 0x9e3779b9)) < share;

/**
 * Tasks that a person still gets.
 * @param turn tasks that the person has had
 * @param others tasks that are left, without gold ones
 * @param gold gold tasks that the person has not had
 */
export function tasksLeft(
  {
    project,
    person,
    turn,
    share,
  }: { project: string; person: string; turn: number; share: number },
  others: number,
  gold: number,
): number {
  let [left, known, at] = [others, gold, turn];
  while (left > 0) {
    if (known > 0 && isGoldTurn(project, person, at, share)) known -= 1;
    else left -= 1;
    at += 1;
  }
  return at - turn;
}

/** A hash of a whole number, in [0, 1) (the finaliser of MurmurHash3). */
function mixed(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
