import { type Machine, NOWHERE } from './machine.ts';
import type { TokenTrie } from './token-trie.ts';

/**
 * Marks every token whose bytes the machine can read.
 * @param into [words], zeros
 * @returns whether there is any
 */
export function markAllowed(
  machine: Machine,
  state: number,
  trie: TokenTrie,
  into: Int32Array,
): boolean {
  const { bytes, depths, after, tokens, alike } = trie;
  const states = new Int32Array(trie.longest + 1);
  states[0] = state;
  machine.fill(state);
  let { table } = machine;
  let any = false;
  for (let node = 0; node < bytes.length; ) {
    const depth = depths[node]!;
    const next = table[states[depth]! * 256 + bytes[node]!]!;
    if (next === NOWHERE) {
      node = after[node]!;
      continue;
    }
    for (let token = tokens[node]!; token >= 0; token = alike[token]!) {
      into[token >> 5]! |= 1 << (token & 31);
      any = true;
    }
    if (after[node]! > node + 1) {
      machine.fill(next);
      table = machine.table;
      states[depth + 1] = next;
    }
    node += 1;
  }
  return any;
}
