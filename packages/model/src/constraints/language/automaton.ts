// Deterministic automata over characters, for what expressions cannot say: both of two languages,
// or all other texts.
import {
  type Characters,
  characters,
  everyCharacter,
  partition,
  type Range,
} from './characters.ts';
import { ConstraintError } from './constraint-error.ts';
import { type Expression, never, oneOf } from './expression.ts';

/** Most states of an automaton. */
const MOST_STATES = 20_000;

/** The first state is the start. Edges of a state are disjoint, in order. */
export interface Automaton {
  readonly edges: readonly (readonly { readonly range: Range; readonly to: number }[])[];
  readonly accepting: readonly boolean[];
}

/** Collects states by what they stand for. */
class States<T> {
  readonly found: T[] = [];
  readonly #ids = new Map<string, number>();

  id(key: string, value: T): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.found.length >= MOST_STATES) {
      throw new ConstraintError(
        'the constraint is too large: its patterns and lengths together need too many states. ' +
          'Use smaller counts, or simpler patterns',
      );
    }
    this.#ids.set(key, this.found.length);
    this.found.push(value);
    return this.found.length - 1;
  }
}

/** Nodes with edges that read a character, and edges that read nothing. */
class Nodes {
  readonly reads: { set: Characters; to: number }[][] = [];
  readonly free: number[][] = [];

  node(): number {
    this.free.push([]);
    return this.reads.push([]) - 1;
  }

  add(one: Expression, from: number, to: number): void {
    if (this.free.length > 20 * MOST_STATES) {
      throw new ConstraintError('the pattern is too large. Use smaller counts of repetitions');
    }
    if (one.type === 'characters') this.reads[from]!.push({ set: one.set, to });
    else if (one.type === 'choice') for (const option of one.options) this.add(option, from, to);
    else if (one.type === 'sequence') {
      let at = from;
      for (const part of one.parts) {
        const next = this.node();
        this.add(part, at, next);
        at = next;
      }
      this.free[at]!.push(to);
    } else if (one.type === 'repeat') this.#repeat(one, from, to);
    else if (one.type === 'graph') {
      const places = one.graph.edges.map(() => this.node());
      this.free[from]!.push(places[0]!);
      for (const [node, edges] of one.graph.edges.entries()) {
        for (const edge of edges) this.add(edge.label, places[node]!, places[edge.to]!);
        if (one.graph.accepting.has(node)) this.free[places[node]!]!.push(to);
      }
    } else this.add(one.rule.body, from, to);
  }

  #repeat(
    { body, least, most }: Extract<Expression, { type: 'repeat' }>,
    from: number,
    to: number,
  ): void {
    let at = this.node();
    this.free[from]!.push(at);
    const copies = most === Number.POSITIVE_INFINITY ? least : most;
    for (let copy = 0; copy < copies; copy++) {
      if (copy >= least) this.free[at]!.push(to);
      const next = this.node();
      this.add(body, at, next);
      at = next;
    }
    if (copies < most) {
      const loop = this.node();
      this.free[at]!.push(loop);
      this.add(body, loop, loop);
      at = loop;
    }
    this.free[at]!.push(to);
  }

  reached(starts: Iterable<number>): number[] {
    const found = new Set(starts);
    for (const node of found) for (const to of this.free[node]!) found.add(to);
    return [...found].sort((a, b) => a - b);
  }
}

/** The automaton of an expression without recursive rules. */
export function automaton(one: Expression): Automaton {
  const nodes = new Nodes();
  const from = nodes.node();
  const to = nodes.node();
  nodes.add(one, from, to);
  const states = new States<readonly number[]>();
  const start = nodes.reached([from]);
  states.id(start.join(), start);
  const edges: { range: Range; to: number }[][] = [];
  for (const own of states.found) {
    const reads = own.flatMap((node) => nodes.reads[node]!);
    const leaving: { range: Range; to: number }[] = [];
    for (const range of partition(reads.map(({ set }) => set))) {
      const targets = reads
        .filter(({ set }) => set.some(([low, high]) => low <= range[0] && range[0] <= high))
        .map(({ to: target }) => target);
      if (targets.length === 0) continue;
      const next = nodes.reached(targets);
      leaving.push({ range, to: states.id(next.join(), next) });
    }
    edges.push(leaving);
  }
  return trim({ edges, accepting: states.found.map((own) => own.includes(to)) });
}

/** The texts that both match. */
export function both(a: Automaton, b: Automaton): Automaton {
  const states = new States<[number, number]>();
  states.id('0,0', [0, 0]);
  const edges: { range: Range; to: number }[][] = [];
  for (const [x, y] of states.found) {
    const leaving: { range: Range; to: number }[] = [];
    const [left, right] = [a.edges[x]!, b.edges[y]!];
    for (let i = 0, j = 0; i < left.length && j < right.length; ) {
      const [own, other] = [left[i]!, right[j]!];
      const low = Math.max(own.range[0], other.range[0]);
      const high = Math.min(own.range[1], other.range[1]);
      if (low <= high) {
        const to = states.id(`${own.to},${other.to}`, [own.to, other.to]);
        leaving.push({ range: [low, high], to });
      }
      if (own.range[1] < other.range[1]) i++;
      else j++;
    }
    edges.push(leaving);
  }
  return trim({
    edges,
    accepting: states.found.map(([x, y]) => a.accepting[x]! && b.accepting[y]!),
  });
}

/** The texts that it does not match. */
export function otherTexts({ edges, accepting }: Automaton): Automaton {
  const rest = edges.length;
  const complete = [...edges, []].map((leaving) => {
    const all: { range: Range; to: number }[] = [];
    let next = 0;
    for (const { range, to } of leaving) {
      all.push({ range: [next, range[0] - 1], to: rest }, { range, to });
      next = range[1] + 1;
    }
    all.push({ range: [next, everyCharacter.at(-1)![1]], to: rest });
    return all.flatMap(({ range, to }) => characters([range]).map((part) => ({ range: part, to })));
  });
  return trim({ edges: complete, accepting: [...accepting.map((one) => !one), true] });
}

export const isNothing = ({ accepting }: Automaton): boolean => !accepting.includes(true);

export function matches({ edges, accepting }: Automaton, text: string): boolean {
  let at = 0;
  for (const one of text.toWellFormed()) {
    const code = one.codePointAt(0)!;
    const edge = edges[at]!.find(({ range: [low, high] }) => low <= code && code <= high);
    if (edge === undefined) return false;
    at = edge.to;
  }
  return accepting[at]!;
}

/** @param label what a set of characters is written as (default: the characters) */
export function automatonExpression(
  { edges, accepting }: Automaton,
  label: (set: Characters) => Expression = oneOf,
): Expression {
  if (!accepting.includes(true)) return never;
  return {
    type: 'graph',
    graph: {
      edges: edges.map((leaving) =>
        [...Map.groupBy(leaving, ({ to }) => to)].map(([to, own]) => ({
          label: label(characters(own.map(({ range }) => range))),
          to,
        })),
      ),
      accepting: new Set(accepting.keys().filter((state) => accepting[state])),
    },
  };
}

/** Without the states from which nothing matches. */
export function trim({ edges, accepting }: Automaton): Automaton {
  const into: number[][] = edges.map(() => []);
  for (const [from, leaving] of edges.entries()) for (const { to } of leaving) into[to]!.push(from);
  const alive = new Set(accepting.keys().filter((state) => accepting[state]));
  for (const state of alive) for (const from of into[state]!) alive.add(from);
  alive.add(0);
  const kept = [...alive].sort((a, b) => a - b);
  const places = new Map(kept.map((state, place) => [state, place]));
  return {
    edges: kept.map((state) =>
      edges[state]!.filter(({ to }) => alive.has(to)).map(({ range, to }) => ({
        range,
        to: places.get(to)!,
      })),
    ),
    accepting: kept.map((state) => accepting[state]!),
  };
}
