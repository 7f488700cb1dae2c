// Reads text byte by byte through a network. A state is every place where the text may be; states
// and what each byte leads to are found when they are first needed.
import { ConstraintError } from '../language/constraint-error.ts';
import type { Network } from './network.ts';
import { shortestEnds } from './shortest-ends.ts';

/** No text continues after this byte. */
export const NOWHERE = -1;
/** What a state's bytes lead to has not been found yet. */
export const UNKNOWN = -2;

/** The empty stack, and the one below which a local state does not look. */
export const EMPTY = 0;
const BOTTOM = 1;

/** Places at which a state may be; more would take too long at every byte. */
const MOST_PLACES = 5_000;

/** Where a text may be: a node, and where the rules around it return to, innermost first. */
export type Place = readonly [node: number, ...returns: number[]];

export class Machine {
  readonly #network: Network;
  /** Stack numbers by node to return to and number of the rest. */
  readonly #stackIds = new Map<number, number>();
  readonly #backs: number[] = [-1, -1];
  readonly #rests: number[] = [0, 0];
  readonly #locals = new Map<number, number>();
  readonly #stateIds = new Map<string, number>();
  readonly #places: (readonly number[])[] = []; // pairs of node and stack
  readonly #accepting: boolean[] = [];
  /** By node, and by stack and state as far as they are known. */
  #ends: Int32Array | null = null;
  readonly #stackEnds: number[] = [0, 0];
  readonly #stateEnds: number[] = [];
  #table = new Int32Array(64 * 256).fill(UNKNOWN);
  #escapes = new Uint8Array(64);
  readonly start: number;
  readonly skipsSpace: boolean;

  /**
   * @param skipsSpace whether a space at the start is no part of the text, because the tokenizer
   *   removes it
   */
  constructor(network: Network, skipsSpace: boolean) {
    this.#network = network;
    const found = new Reached(this);
    found.add(network.rules[0]!.start, EMPTY);
    const start = this.#intern(found);
    this.start = start;
    this.skipsSpace = skipsSpace;
    if (!skipsSpace) return;
    this.start = this.#newState(this.#places[start]!, found);
    this.fill(this.start);
    this.#table[this.start * 256 + 0x20] = start;
  }

  /** Number of states found so far. */
  get size(): number {
    return this.#places.length;
  }

  accepting(state: number): boolean {
    return this.#accepting[state]!;
  }

  /** Nothing can follow. */
  ended(state: number): boolean {
    return this.#places[state]!.length === 0;
  }

  /** The state after a byte, or NOWHERE. */
  next(state: number, byte: number): number {
    if (this.#table[state * 256] === UNKNOWN) this.fill(state);
    return this.#table[state * 256 + byte]!;
  }

  /**
   * What each byte of each state leads to, [states, 256]; UNKNOWN for states that are not filled.
   * Replaced when it grows.
   */
  get table(): Int32Array {
    return this.#table;
  }

  /** Nodes and stacks, in turn. */
  placesIn(state: number): readonly number[] {
    return this.#places[state]!;
  }

  /**
   * The state of a node in whatever rules it is: where its own rule ends, the state escapes instead
   * of returning. Only short tokens are the same as those of its twin.
   */
  local(node: number, { short }: { short: boolean }): number {
    let twin = node;
    const { nodes } = this.#network;
    while (short && nodes[twin]!.twin !== twin) twin = nodes[twin]!.twin;
    let state = this.#locals.get(twin);
    if (state === undefined) {
      const found = new Reached(this);
      found.add(twin, BOTTOM);
      state = this.#intern(found);
      this.#locals.set(twin, state);
    }
    return state;
  }

  /** Whether a state that started locally has left its rule. */
  get escapes(): Uint8Array {
    return this.#escapes;
  }

  /** The smallest number of bytes with which the text is complete. */
  bytesToEnd(state: number): number {
    const known = this.#stateEnds[state];
    if (known !== undefined) return known;
    this.#ends ??= shortestEnds(this.#network);
    const places = this.#places[state]!;
    let least = this.#accepting[state] ? 0 : Number.POSITIVE_INFINITY;
    for (let at = 0; at < places.length; at += 2) {
      least = Math.min(least, this.#ends[places[at]!]! + this.#stackEnd(places[at + 1]!));
    }
    this.#stateEnds[state] = least;
    return least;
  }

  #stackEnd(stack: number): number {
    const unknown: number[] = [];
    for (let at = stack; this.#stackEnds[at] === undefined; at = this.#rests[at]!) unknown.push(at);
    for (const one of unknown.reverse()) {
      this.#stackEnds[one] = this.#ends![this.#backs[one]!]! + this.#stackEnds[this.#rests[one]!]!;
    }
    return this.#stackEnds[stack]!;
  }

  /** Where the text may be, independently of this machine. */
  placesOf(state: number): Place[] {
    const places = this.#places[state]!;
    const found: Place[] = [];
    for (let at = 0; at < places.length; at += 2) {
      const returns: number[] = [];
      for (let stack = places[at + 1]!; stack !== 0; stack = this.#rests[stack]!) {
        returns.push(this.#backs[stack]!);
      }
      found.push([places[at]!, ...returns]);
    }
    return found;
  }

  /** The state with places of another machine of the same network. */
  stateWith(places: readonly Place[], accepting: boolean): number {
    const own = places.map(([node, ...returns]): [number, number] => [
      node,
      returns.reduceRight((stack, back) => this.push(back, stack), 0),
    ]);
    return this.#intern({ places: own, accepting, escaped: false });
  }

  push(back: number, rest: number): number {
    const key = back * 2 ** 26 + rest;
    const known = this.#stackIds.get(key);
    if (known !== undefined) return known;
    const id = this.#backs.length;
    this.#stackIds.set(key, id);
    this.#backs.push(back);
    this.#rests.push(rest);
    return id;
  }

  /** The node that a stack returns to, and the rest of it. */
  pop(stack: number): [back: number, rest: number] {
    return [this.#backs[stack]!, this.#rests[stack]!];
  }

  get network(): Network {
    return this.#network;
  }

  #intern(found: Pick<Reached, 'places' | 'accepting' | 'escaped'>): number {
    if (found.places.length > MOST_PLACES) {
      throw new ConstraintError(
        'the constraint is too ambiguous: a text can match it in too many ways. Write it so that ' +
          'fewer alternatives start alike',
      );
    }
    const flat = found.places.sort(([a, s], [b, t]) => a - b || s - t).flat();
    const key = `${found.accepting ? '+' : ''}${found.escaped ? '^' : ''}${flat.join()}`;
    const known = this.#stateIds.get(key);
    if (known !== undefined) return known;
    const id = this.#newState(flat, found);
    this.#stateIds.set(key, id);
    return id;
  }

  #newState(
    places: readonly number[],
    { accepting, escaped }: Pick<Reached, 'accepting' | 'escaped'>,
  ): number {
    const id = this.#places.length;
    this.#places.push(places);
    this.#accepting.push(accepting);
    if ((id + 1) * 256 > this.#table.length) {
      const larger = new Int32Array(this.#table.length * 2).fill(UNKNOWN);
      larger.set(this.#table);
      this.#table = larger;
      const escapes = new Uint8Array(this.#escapes.length * 2);
      escapes.set(this.#escapes);
      this.#escapes = escapes;
    }
    this.#escapes[id] = escaped ? 1 : 0;
    return id;
  }

  /** Finds what every byte leads to. Bytes with the same edges are treated together. */
  fill(state: number): void {
    const row = new Int32Array(256).fill(NOWHERE);
    const edges: { low: number; high: number; to: number; stack: number }[] = [];
    const borders = new Set<number>();
    const places = this.#places[state]!;
    for (let at = 0; at < places.length; at += 2) {
      const stack = places[at + 1]!;
      for (const { low, high, to } of this.#network.nodes[places[at]!]!.bytes) {
        edges.push({ low, high, to, stack });
        borders.add(low).add(high + 1);
      }
    }
    const sorted = [...borders].sort((a, b) => a - b);
    const known = new Map<string, number>();
    for (const [index, low] of sorted.slice(0, -1).entries()) {
      const own = edges.filter((edge) => edge.low <= low && low <= edge.high);
      if (own.length === 0) continue;
      const key = own.map(({ to, stack }) => `${to},${stack}`).join(';');
      let next = known.get(key);
      if (next === undefined) {
        const found = new Reached(this);
        for (const { to, stack } of own) found.add(to, stack);
        next = this.#intern(found);
        known.set(key, next);
      }
      row.fill(next, low, sorted[index + 1]!);
    }
    this.#table.set(row, state * 256);
  }
}

/** The places that are reached from some without reading a byte. */
class Reached {
  readonly places: [number, number][] = [];
  accepting = false;
  escaped = false;
  readonly #machine: Machine;
  readonly #seen = new Set<number>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  add(node: number, stack: number): void {
    const machine = this.#machine;
    const { nodes, rules } = machine.network;
    const waiting: [number, number][] = [[node, stack]];
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      const [at, under] = one;
      const key = under * nodes.length + at;
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      const { bytes, free, calls, ends } = nodes[at]!;
      if (bytes.length > 0) this.places.push(one);
      for (const to of free) waiting.push([to, under]);
      for (const { rule, back, tail } of calls) {
        waiting.push([rules[rule]!.start, tail ? under : machine.push(back, under)]);
      }
      if (ends < 0) continue;
      if (under === EMPTY) this.accepting = true;
      else if (under === BOTTOM) this.escaped = true;
      else waiting.push(machine.pop(under));
    }
  }
}
