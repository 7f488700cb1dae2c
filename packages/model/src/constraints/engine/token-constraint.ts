// A network's machine over the tokens of a vocabulary.

import type { ConstraintState, TokenConstraint } from '../constraint.ts';
import { ConstraintError } from '../language/constraint-error.ts';
import { markAllowed, mostBytesToEnd } from './allowed-tokens.ts';
import { Machine, NOWHERE } from './machine.ts';
import type { Network } from './network.ts';
import type { TokenTrie } from './token-trie.ts';

/** States of a machine, of 1 KiB each, before a new one replaces it. */
const MOST_STATES = 16_384;
/** Bytes of masks that a machine keeps. */
const MOST_MASK_BYTES = 32 * 2 ** 20;

export interface ConstrainedTokens {
  trie: TokenTrie;
  skipsSpace: boolean;
  vocabularySize: number;
  stopTokenIds: readonly number[];
}

/** A machine, and the masks of its states. */
class MaskedMachine {
  readonly machine: Machine;
  readonly #tokens: ConstrainedTokens;
  readonly #masks = new Map<number, Int32Array>();
  readonly #distances = new Map<number, number>();

  constructor(network: Network, tokens: ConstrainedTokens) {
    this.machine = new Machine(network, tokens.skipsSpace);
    this.#tokens = tokens;
  }

  /** The tokens that may follow, without those that end an answer: [words]. */
  mask(state: number, left = Number.POSITIVE_INFINITY): Int32Array {
    const all = this.#wholeMask(state);
    // One of the tokens that are left is this one, and one is the end.
    const most = left - 2;
    if (most === Number.POSITIVE_INFINITY || this.#farthest(state) <= most) return all;
    const mask = new Int32Array(all.length);
    const any = markAllowed(this.machine, state, this.#tokens.trie, mask, most);
    return any || this.machine.accepting(state) ? this.#withoutStops(mask) : all;
  }

  /** The largest number of bytes that may be missing after one more token. */
  #farthest(state: number): number {
    let found = this.#distances.get(state);
    if (found === undefined) {
      found = mostBytesToEnd(this.machine, state, this.#tokens.trie);
      this.#distances.set(state, found);
    }
    return found;
  }

  #withoutStops(mask: Int32Array): Int32Array {
    for (const token of this.#tokens.stopTokenIds) mask[token >> 5]! &= ~(1 << (token & 31));
    return mask;
  }

  #wholeMask(state: number): Int32Array {
    const same = this.machine.canonical(state);
    const known = this.#masks.get(same);
    if (known !== undefined) return known;
    const { trie, vocabularySize } = this.#tokens;
    const mask = new Int32Array(Math.ceil(vocabularySize / 32));
    const any = markAllowed(this.machine, same, trie, mask);
    this.#withoutStops(mask);
    if (!any && !this.machine.accepting(state)) {
      throw new ConstraintError(
        "no token of the model's vocabulary continues the answer: the constraint needs characters that the tokenizer does not have",
      );
    }
    if (this.#masks.size >= Math.max(16, MOST_MASK_BYTES / mask.byteLength)) this.#masks.clear();
    this.#masks.set(same, mask);
    return mask;
  }
}

export class NetworkConstraint implements TokenConstraint {
  readonly words: number;
  readonly #network: Network;
  readonly #tokens: ConstrainedTokens;
  readonly #stops: ReadonlySet<number>;
  #current: MaskedMachine;

  constructor(network: Network, tokens: ConstrainedTokens) {
    this.words = Math.ceil(tokens.vocabularySize / 32);
    this.#network = network;
    this.#tokens = tokens;
    this.#stops = new Set(tokens.stopTokenIds);
    this.#current = new MaskedMachine(network, tokens);
  }

  start(): ConstraintState {
    const { trie } = this.#tokens;
    let own = this.#roomy();
    let state = own.machine.start;
    let ended = false;
    /** Moves to the constraint's current machine, so that an old one can be freed. */
    const move = (): void => {
      const current = this.#roomy();
      if (current === own) return;
      const { machine } = own;
      state =
        state === machine.start
          ? current.machine.start
          : current.machine.stateWith(machine.placesOf(state), machine.accepting(state));
      own = current;
    };
    return {
      allowed: (into, left) => {
        if (into.length !== this.words) {
          throw new RangeError(`the mask has ${into.length} words, expected ${this.words}`);
        }
        if (ended) into.fill(0);
        else into.set(own.mask(state, left));
        if (!ended && !own.machine.accepting(state)) return;
        for (const token of this.#stops) into[token >> 5]! |= 1 << (token & 31);
      },
      accept: (token) => {
        const stops = this.#stops.has(token);
        if (stops && !ended && own.machine.accepting(state)) {
          ended = true;
          return;
        }
        let next = ended || stops ? NOWHERE : state;
        const bytes = trie.texts[token] ?? null;
        if (bytes === null || bytes.length === 0) next = NOWHERE;
        for (const byte of bytes ?? []) {
          if (next === NOWHERE) break;
          next = own.machine.next(next, byte);
        }
        if (next === NOWHERE) throw new Error(`the constraint does not allow token ${token} here`);
        state = next;
        move();
      },
      get finished() {
        return ended || own.machine.ended(state);
      },
      dispose: () => {
        ended = true;
      },
    };
  }

  #roomy(): MaskedMachine {
    if (this.#current.machine.size > MOST_STATES) {
      this.#current = new MaskedMachine(this.#network, this.#tokens);
    }
    return this.#current;
  }
}
