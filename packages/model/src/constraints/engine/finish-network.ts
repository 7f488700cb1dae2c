// What is checked and removed once all rules are known.
import { ConstraintError } from '../language/constraint-error.ts';
import type { Network } from './network.ts';

/**
 * Removes every edge from which no end can be reached, so that an answer cannot get stuck, and
 * marks calls after which nothing follows.
 * @throws ConstraintError if nothing is left, or if a rule starts with itself
 */
export function finishNetwork(network: Network): Network {
  removeDeadEnds(network);
  markTails(network);
  refuseLeftRecursion(network);
  return network;
}

function removeDeadEnds({ nodes, rules }: Network): void {
  const into: number[][] = nodes.map(() => []);
  const callers: { from: number; back: number }[][] = rules.map(() => []);
  const returnsTo: { from: number; rule: number }[][] = nodes.map(() => []);
  for (const [from, { bytes, free, calls }] of nodes.entries()) {
    for (const { to } of bytes) into[to]!.push(from);
    for (const to of free) into[to]!.push(from);
    for (const { rule, back } of calls) {
      callers[rule]!.push({ from, back });
      returnsTo[back]!.push({ from, rule });
    }
  }
  const alive = new Uint8Array(nodes.length);
  const waiting: number[] = [];
  const mark = (node: number): void => {
    if (alive[node]) return;
    alive[node] = 1;
    waiting.push(node);
  };
  const ofStart = new Map(rules.map(({ start }, rule) => [start, rule]));
  for (const { end } of rules) mark(end);
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    for (const from of into[node]!) mark(from);
    for (const { from, rule } of returnsTo[node]!) if (alive[rules[rule]!.start]) mark(from);
    const rule = ofStart.get(node);
    if (rule === undefined) continue;
    for (const { from, back } of callers[rule]!) if (alive[back]) mark(from);
  }
  if (!alive[rules[0]!.start]) throw new ConstraintError('no text matches the constraint');
  for (const node of nodes) {
    node.bytes = node.bytes.filter(({ to }) => alive[to]);
    node.free = node.free.filter((to) => alive[to]);
    node.calls = node.calls.filter(({ rule, back }) => alive[back] && alive[rules[rule]!.start]);
  }
}

function markTails({ nodes }: Network): void {
  const isEnd = (start: number): boolean => {
    const seen = new Set<number>();
    for (let at = start; !seen.has(at); ) {
      seen.add(at);
      const { bytes, free, calls, ends } = nodes[at]!;
      if (ends >= 0) return true;
      if (bytes.length > 0 || calls.length > 0 || free.length !== 1) return false;
      at = free[0]!;
    }
    return false;
  };
  for (const { calls } of nodes) for (const call of calls) call.tail = isEnd(call.back);
}

/** A rule that starts with itself would be entered without end. */
function refuseLeftRecursion({ nodes, rules }: Network): void {
  const nullable = findNullable({ nodes, rules });
  const firsts = rules.map(({ start }) => {
    const calls = new Map<number, boolean>(); // rule -> whether one of the calls returns
    for (const at of freelyReached(nodes, start, (rule) => nullable.has(rule))) {
      for (const { rule, tail } of nodes[at]!.calls) {
        calls.set(rule, calls.get(rule) === true || !tail);
      }
    }
    return calls;
  });
  for (const [from, calls] of firsts.entries()) {
    for (const [to, returns] of calls) {
      if (!returns) continue;
      const path = pathBetween(firsts, to, from);
      if (path === null) continue;
      const names = [from, ...path].map((rule) => rules[rule]!.name);
      throw new ConstraintError(
        `the rule ${names[0]} starts with itself (${names.join(' → ')}). Write the repetition ` +
          'at the end, such as `list ::= item list | item`, or with * or +',
      );
    }
  }
}

function findNullable({ nodes, rules }: Network): Set<number> {
  const nullable = new Set<number>();
  for (let before = -1; before < nullable.size; ) {
    before = nullable.size;
    for (const [rule, { start, end }] of rules.entries()) {
      if (nullable.has(rule)) continue;
      if (freelyReached(nodes, start, (one) => nullable.has(one)).has(end)) nullable.add(rule);
    }
  }
  return nullable;
}

/** The nodes that are reached without reading a byte, within one rule. */
function freelyReached(
  nodes: Network['nodes'],
  start: number,
  skips: (rule: number) => boolean,
): Set<number> {
  const reached = new Set([start]);
  for (const at of reached) {
    for (const to of nodes[at]!.free) reached.add(to);
    for (const { rule, back } of nodes[at]!.calls) if (skips(rule)) reached.add(back);
  }
  return reached;
}

function pathBetween(
  edges: readonly ReadonlyMap<number, boolean>[],
  from: number,
  to: number,
): number[] | null {
  const cameFrom = new Map<number, number>([[from, -1]]);
  for (const at of cameFrom.keys()) {
    if (at === to) {
      const path: number[] = [];
      for (let one = at; one !== -1; one = cameFrom.get(one)!) path.unshift(one);
      return path;
    }
    for (const next of edges[at]!.keys()) if (!cameFrom.has(next)) cameFrom.set(next, at);
  }
  return null;
}
