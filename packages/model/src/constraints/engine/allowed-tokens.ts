// The tokens that may follow in a state. Most of them are read within the innermost rule, so they
// are found once for each node, whatever rules are around it; only tokens that go on after the end
// of that rule depend on those.
import { EMPTY, type Machine, NOWHERE, UNKNOWN } from './machine.ts';
import type { TokenTrie } from './token-trie.ts';

/** Most masks that are kept; of 6 KiB each with a vocabulary of 49,152. */
const MOST_KEPT = 2048;

/** What may follow a node within its rule. */
interface LocalTokens {
  /** [words] */
  mask: Int32Array;
  /** Nodes of the trie at which the rule has ended in the middle of a token. */
  escapes: readonly number[];
  /** The rest of these tokens, by the state after the rule. */
  after: Map<number, LocalTokens>;
}

export class AllowedTokens {
  readonly #machine: Machine;
  readonly #trie: TokenTrie;
  readonly #words: number;
  readonly #kind: { short: boolean };
  readonly #local = new Map<number, LocalTokens>();
  #kept = 0;

  /** @param kind whether the tokens are at most as long as the network's horizon */
  constructor(machine: Machine, trie: TokenTrie, words: number, kind: { short: boolean }) {
    this.#kind = kind;
    this.#machine = machine;
    this.#trie = trie;
    this.#words = words;
  }

  /**
   * Marks every token whose bytes can be read.
   * @param into [words]
   */
  mark(state: number, into: Int32Array): void {
    const machine = this.#machine;
    // Its spaces at the start are no part of the text.
    if (machine.skipsSpace && state === machine.start) {
      markFrom(machine, state, this.#trie, into);
      return;
    }
    if (this.#kept > MOST_KEPT) this.#forget();
    const places = machine.placesIn(state);
    for (let at = 0; at < places.length; at += 2) {
      this.#markPlace(places[at]!, places[at + 1]!, into);
    }
  }

  /** A token may go on after the rule of its place, and then after the rule around that, … */
  #markPlace(node: number, around: number, into: Int32Array): void {
    const machine = this.#machine;
    let found = this.#localOf(node);
    addMask(into, found.mask);
    for (let stack = around; stack !== EMPTY && found.escapes.length > 0; ) {
      const [back, rest] = machine.pop(stack);
      found = this.#afterRule(found, machine.local(back, this.#kind));
      addMask(into, found.mask);
      stack = rest;
    }
  }

  #localOf(node: number): LocalTokens {
    const state = this.#machine.local(node, this.#kind);
    let found = this.#local.get(state);
    if (found === undefined) {
      const mask = new Int32Array(this.#words);
      const escapes = markFrom(this.#machine, state, this.#trie, mask);
      found = this.#keep({ mask, escapes, after: new Map() });
      this.#local.set(state, found);
    }
    return found;
  }

  /** The rest of the tokens that left a rule, from a state within the rule around it. */
  #afterRule({ escapes, after }: LocalTokens, state: number): LocalTokens {
    let found = after.get(state);
    if (found === undefined) {
      const machine = this.#machine;
      const mask = new Int32Array(this.#words);
      // The rule around may have ended, too.
      const further = machine.escapes[state] === 1 ? [...escapes] : [];
      for (const node of escapes) {
        further.push(...markFrom(machine, state, this.#trie, mask, node));
      }
      found = this.#keep({ mask, escapes: [...new Set(further)], after: new Map() });
      after.set(state, found);
    }
    return found;
  }

  #keep(found: LocalTokens): LocalTokens {
    this.#kept += 1;
    return found;
  }

  #forget(): void {
    this.#local.clear();
    this.#kept = 0;
  }
}

function addMask(into: Int32Array, mask: Int32Array): void {
  for (let word = 0; word < mask.length; word++) into[word]! |= mask[word]!;
}

/**
 * Marks the tokens below a node of the trie (default: all) that can be read from a state.
 * @returns nodes of the trie, with others below them, at which the state escapes
 */
function markFrom(
  machine: Machine,
  state: number,
  trie: TokenTrie,
  into: Int32Array,
  below = -1,
): number[] {
  const { alike } = trie;
  const { tokens, count, escapes } = readable(machine, state, trie, below);
  for (let index = 0; index < count; index++) {
    for (let token = tokens[index]!; token >= 0; token = alike[token]!) {
      into[token >> 5]! |= 1 << (token & 31);
    }
  }
  return escapes;
}

/**
 * Marks the tokens after which at most so many bytes are missing.
 * @param into [words]
 */
export function markEnding(
  machine: Machine,
  state: number,
  trie: TokenTrie,
  into: Int32Array,
  most: number,
): void {
  const { alike } = trie;
  const { tokens, states, count } = readable(machine, state, trie);
  for (let index = 0; index < count; index++) {
    if (machine.bytesToEnd(states[index]!) > most) continue;
    for (let token = tokens[index]!; token >= 0; token = alike[token]!) {
      into[token >> 5]! |= 1 << (token & 31);
    }
  }
}

/** The largest number of bytes that may be missing after one more token. */
export function mostBytesToEnd(machine: Machine, state: number, trie: TokenTrie): number {
  const { states, count } = readable(machine, state, trie);
  let most = 0;
  for (let index = 0; index < count; index++) {
    most = Math.max(most, machine.bytesToEnd(states[index]!));
  }
  return most;
}

/** Reused by every call: the tokens that can be read, and the states after them. */
let room = { tokens: new Int32Array(0), states: new Int32Array(0) };
let reached = new Int32Array(0);

/** This is where constrained output spends its time: hardly anything is called in the loop. */
function readable(
  machine: Machine,
  start: number,
  { bytes, depths, after, tokens, longest }: TokenTrie,
  below = -1,
): { tokens: Int32Array; states: Int32Array; count: number; escapes: number[] } {
  const size = bytes.length;
  if (room.tokens.length < size) {
    room = { tokens: new Int32Array(size), states: new Int32Array(size) };
  }
  if (reached.length <= longest) reached = new Int32Array(longest + 1);
  const { tokens: ends, states } = room;
  const path = reached;
  const last = below < 0 ? size : after[below]!;
  path[below < 0 ? 0 : depths[below]! + 1] = start;
  let { table, escapes: escaped } = machine;
  const escapes: number[] = [];
  let count = 0;
  for (let node = below + 1; node < last; ) {
    const depth = depths[node]!;
    const from = path[depth]!;
    let next = table[(from << 8) + bytes[node]!]!;
    if (next === UNKNOWN) {
      machine.fill(from);
      ({ table, escapes: escaped } = machine);
      next = table[(from << 8) + bytes[node]!]!;
    }
    if (next === NOWHERE) {
      node = after[node]!;
      continue;
    }
    const token = tokens[node]!;
    if (token >= 0) {
      ends[count] = token;
      states[count] = next;
      count += 1;
    }
    if (escaped[next] === 1 && after[node]! > node + 1) escapes.push(node);
    path[depth + 1] = next;
    node += 1;
  }
  return { tokens: ends, states, count, escapes };
}
