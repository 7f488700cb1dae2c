import { ConstraintError } from '../language/constraint-error.ts';
import type { Expression, Graph, Rule } from '../language/expression.ts';
import { type ByteRanges, byteRanges } from './byte-ranges.ts';
import { finishNetwork } from './finish-network.ts';
import type { Network, NetworkNode, NetworkRule } from './network.ts';

/** Most nodes of a network; a larger one would take too much memory. */
const MOST_NODES = 400_000;
/** A repeated part with more nodes becomes a rule, so that a copy of it is only a call. */
const LARGE = 24;

/**
 * @param horizon number of bytes within which twins are the same
 * @throws ConstraintError if the expression matches nothing, is too large, or if a rule starts with
 *   itself
 */
export function buildNetwork(whole: Expression, horizon: number): Network {
  const builder = new NetworkBuilder(horizon);
  builder.ruleOf({ name: 'root', body: whole });
  return finishNetwork(builder.build());
}

class NetworkBuilder {
  readonly #horizon: number;
  readonly #nodes: NetworkNode[] = [];
  readonly #rules: NetworkRule[] = [];
  readonly #known = new Map<Rule, number>();
  readonly #bodies = new Map<Expression, Rule>();
  readonly #sizes = new Map<Expression, number>();
  readonly #waiting: Rule[] = [];

  constructor(horizon: number) {
    this.#horizon = horizon;
  }

  /** The rule's number. Its body is built later. */
  ruleOf(rule: Rule): number {
    const known = this.#known.get(rule);
    if (known !== undefined) return known;
    const index = this.#rules.length;
    this.#known.set(rule, index);
    this.#rules.push({ name: rule.name, start: -1, end: -1 });
    this.#waiting.push(rule);
    return index;
  }

  build(): Network {
    for (let rule = this.#waiting.pop(); rule !== undefined; rule = this.#waiting.pop()) {
      const index = this.#known.get(rule)!;
      const start = this.#node();
      const end = this.#node();
      this.#nodes[end]!.ends = index;
      this.#rules[index] = { name: rule.name, start, end };
      this.#add(rule.body, start, end);
    }
    return { nodes: this.#nodes, rules: this.#rules };
  }

  #node(): number {
    const index = this.#nodes.length;
    if (index >= MOST_NODES) {
      throw new ConstraintError(
        'the constraint is too large. Use smaller counts of repetitions (maxLength, maxItems, {n,m})',
      );
    }
    this.#nodes.push({ bytes: [], free: [], calls: [], twin: index, ends: -1 });
    return index;
  }

  /** Adds the expression between two nodes. Equal expressions add equally many nodes. */
  #add(one: Expression, from: number, to: number): void {
    switch (one.type) {
      case 'characters':
        this.#addBytes(byteRanges(one.set), from, to, new Map());
        return;
      case 'sequence': {
        let at = from;
        for (const [index, part] of one.parts.entries()) {
          const next = index === one.parts.length - 1 ? to : this.#node();
          this.#add(part, at, next);
          at = next;
        }
        if (one.parts.length === 0) this.#free(from, to);
        return;
      }
      case 'choice':
        for (const option of one.options) this.#add(option, from, to);
        return;
      case 'repeat':
        this.#addRepeat(one, from, to);
        return;
      case 'graph':
        this.#addGraph(one.graph, from, to);
        return;
      case 'rule':
        this.#call(one.rule, from, to);
    }
  }

  #free(from: number, to: number): void {
    this.#nodes[from]!.free.push(to);
  }

  #call(rule: Rule, from: number, to: number): void {
    this.#nodes[from]!.calls.push({ rule: this.ruleOf(rule), back: to, tail: false });
  }

  /** @param known the node before each of the endings that were added */
  #addBytes(all: ByteRanges[], from: number, to: number, known: Map<string, number>): void {
    for (const [, own] of Map.groupBy(all, ([first]) => first!.join())) {
      const [low, high] = own[0]![0]!;
      const rests = own.map((ranges) => ranges.slice(1));
      let next = to;
      if (rests[0]!.length > 0) {
        const key = JSON.stringify(rests);
        const before = known.get(key);
        next = before ?? this.#node();
        if (before === undefined) {
          known.set(key, next);
          this.#addBytes(rests, next, to, known);
        }
      }
      this.#nodes[from]!.bytes.push({ low, high, to: next });
    }
  }

  #addRepeat(
    { body, least, most }: Extract<Expression, { type: 'repeat' }>,
    from: number,
    to: number,
  ): void {
    const copies = most === Number.POSITIVE_INFINITY ? least : most;
    const add = (start: number, end: number): void => {
      if (copies > 1 && this.#sizeOf(body) > LARGE) this.#call(this.#bodyRule(body), start, end);
      else this.#add(body, start, end);
    };
    // A node of its own, since a loop back to `from` would repeat what leads there too.
    let at = this.#node();
    this.#free(from, at);
    const starts: number[] = [];
    for (let copy = 0; copy < copies; copy++) {
      if (copy >= least) this.#free(at, to);
      starts.push(this.#nodes.length);
      const next = this.#node();
      add(at, next);
      at = next;
    }
    starts.push(this.#nodes.length);
    if (copies < most) {
      const loop = this.#node();
      this.#free(at, loop);
      add(loop, loop);
      this.#free(loop, to);
    } else this.#free(at, to);
    this.#setTwins(starts, least, most);
  }

  /** Nodes of copies that are followed by enough others, of the same kind, are the same. */
  #setTwins(starts: readonly number[], least: number, most: number): void {
    const copies = starts.length - 1;
    for (let copy = 0; copy < copies; copy++) {
      const required = copy < least;
      if (!required && most === Number.POSITIVE_INFINITY) continue;
      const left = (required ? least : copies) - 1 - copy;
      const first = required ? 0 : least;
      if (left < this.#horizon || copy === first) continue;
      const shift = starts[copy]! - starts[first]!;
      for (let node = starts[copy]!; node < starts[copy + 1]!; node++) {
        if (this.#nodes[node]!.twin === node) this.#nodes[node]!.twin = node - shift;
      }
    }
  }

  #bodyRule(body: Expression): Rule {
    let rule = this.#bodies.get(body);
    if (rule === undefined) {
      rule = { name: 'a repeated part', body };
      this.#bodies.set(body, rule);
    }
    return rule;
  }

  /** About the number of nodes that an expression adds. */
  #sizeOf(one: Expression): number {
    const known = this.#sizes.get(one);
    if (known !== undefined) return known;
    let size = 1;
    const add = (parts: readonly Expression[]): void => {
      for (const part of parts) size += this.#sizeOf(part);
    };
    if (one.type === 'characters') size = Math.max(1, 2 * byteRanges(one.set).length - 1);
    else if (one.type === 'sequence') add(one.parts);
    else if (one.type === 'choice') add(one.options);
    else if (one.type === 'repeat') {
      const copies = one.most === Number.POSITIVE_INFINITY ? one.least + 1 : one.most;
      size += copies * this.#sizeOf(one.body);
    } else if (one.type === 'graph') {
      for (const edges of one.graph.edges) add(edges.map(({ label }) => label));
    }
    this.#sizes.set(one, size);
    return size;
  }

  #addGraph({ edges, accepting }: Graph, from: number, to: number): void {
    const places = edges.map(() => this.#node());
    this.#free(from, places[0]!);
    for (const [node, leaving] of edges.entries()) {
      for (const { label, to: next } of leaving) this.#add(label, places[node]!, places[next]!);
      if (accepting.has(node)) this.#free(places[node]!, to);
    }
  }
}
