// A network's machine over the tokens of a vocabulary.

import type { ConstraintState, TokenConstraint } from '../constraint.ts';
import { ConstraintError } from '../language/constraint-error.ts';
import { AllowedTokens, markEnding, mostBytesToEnd } from './allowed-tokens.ts';
import { Machine, NOWHERE } from './machine.ts';
import type { Network } from './network.ts';
import type { TokenTries } from './token-trie.ts';

/** States of a machine, of 1 KiB each, before a new one replaces it. */
const MOST_STATES = 16_384;
/** Bytes of masks that a machine keeps. */
const MOST_MASK_BYTES = 32 * 2 ** 20;

export interface ConstrainedTokens {
  tries: TokenTries;
  skipsSpace: boolean;
  vocabularySize: number;
  stopTokenIds: readonly number[];
}

/** A machine, and the masks of its states. */
class MaskedMachine {
  readonly machine: Machine;
  readonly #tokens: ConstrainedTokens;
  readonly #words: number;
  readonly #short: AllowedTokens;
  readonly #long: AllowedTokens;
  readonly #masks = new Map<number, Int32Array>();
  readonly #distances = new Map<number, number>();

  constructor(network: Network, tokens: ConstrainedTokens) {
    this.machine = new Machine(network, tokens.skipsSpace);
    this.#tokens = tokens;
    this.#words = Math.ceil(tokens.vocabularySize / 32);
    const { short, long } = tokens.tries;
    this.#short = new AllowedTokens(this.machine, short, this.#words, { short: true });
    this.#long = new AllowedTokens(this.machine, long, this.#words, { short: false });
  }

  /** The tokens that may follow, without those that end an answer: [words]. */
  mask(state: number, left = Number.POSITIVE_INFINITY): Int32Array {
    // One of the tokens that are left is this one, and one is the end.
    const most = left - 2;
    if (most === Number.POSITIVE_INFINITY || this.#farthest(state) <= most) {
      return this.#whole(state);
    }
    const mask = new Int32Array(this.#words);
    const { short, long } = this.#tokens.tries;
    for (const trie of [short, long]) markEnding(this.machine, state, trie, mask, most);
    this.#removeStops(mask);
    return this.machine.accepting(state) || isAny(mask) ? mask : this.#whole(state);
  }

  /** The largest number of bytes that may be missing after one more token. */
  #farthest(state: number): number {
    let found = this.#distances.get(state);
    if (found === undefined) {
      const { short, long } = this.#tokens.tries;
      found = Math.max(
        mostBytesToEnd(this.machine, state, short),
        mostBytesToEnd(this.machine, state, long),
      );
      this.#distances.set(state, found);
    }
    return found;
  }

  #whole(state: number): Int32Array {
    const known = this.#masks.get(state);
    if (known !== undefined) return known;
    const mask = new Int32Array(this.#words);
    this.#short.mark(state, mask);
    this.#long.mark(state, mask);
    this.#removeStops(mask);
    if (!isAny(mask) && !this.machine.accepting(state)) {
      throw new ConstraintError(
        "no token of the model's vocabulary continues the answer: the constraint needs characters that the tokenizer does not have",
      );
    }
    if (this.#masks.size >= Math.max(16, MOST_MASK_BYTES / mask.byteLength)) this.#masks.clear();
    this.#masks.set(state, mask);
    return mask;
  }

  #removeStops(mask: Int32Array): void {
    for (const token of this.#tokens.stopTokenIds) mask[token >> 5]! &= ~(1 << (token & 31));
  }
}

const isAny = (mask: Int32Array): boolean => mask.some((word) => word !== 0);

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
    const { texts } = this.#tokens.tries;
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
        const bytes = texts[token] ?? null;
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
