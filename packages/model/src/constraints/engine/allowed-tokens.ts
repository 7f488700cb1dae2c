import { type Machine, NOWHERE } from './machine.ts';
import type { TokenTrie } from './token-trie.ts';

/**
 * Marks every token whose bytes the machine can read.
 * @param into [words], zeros
 * @param most largest number of bytes that may be missing after the token (default: any)
 * @returns whether there is any
 */
export function markAllowed(
  machine: Machine,
  state: number,
  trie: TokenTrie,
  into: Int32Array,
  most = Number.POSITIVE_INFINITY,
): boolean {
  let any = false;
  const limited = most !== Number.POSITIVE_INFINITY;
  forEachToken(machine, state, trie, (first, next) => {
    if (limited && machine.bytesToEnd(next) > most) return;
    for (let token = first; token >= 0; token = trie.alike[token]!) {
      into[token >> 5]! |= 1 << (token & 31);
    }
    any = true;
  });
  return any;
}

/** The largest number of bytes that may be missing after one more token. */
export function mostBytesToEnd(machine: Machine, state: number, trie: TokenTrie): number {
  let most = 0;
  forEachToken(machine, state, trie, (_, next) => {
    most = Math.max(most, machine.bytesToEnd(next));
  });
  return most;
}

/** Visits the tokens that the machine can read, each with the state after it. */
function forEachToken(
  machine: Machine,
  state: number,
  { bytes, depths, after, tokens, longest }: TokenTrie,
  visit: (token: number, next: number) => void,
): void {
  const states = new Int32Array(longest + 1);
  states[0] = state;
  machine.fill(state);
  let { table } = machine;
  for (let node = 0; node < bytes.length; ) {
    const depth = depths[node]!;
    const next = table[states[depth]! * 256 + bytes[node]!]!;
    if (next === NOWHERE) {
      node = after[node]!;
      continue;
    }
    if (tokens[node]! >= 0) visit(tokens[node]!, next);
    if (after[node]! > node + 1) {
      machine.fill(next);
      table = machine.table;
      states[depth + 1] = next;
    }
    node += 1;
  }
}
