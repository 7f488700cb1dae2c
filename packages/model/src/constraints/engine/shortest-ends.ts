import type { Network } from './network.ts';

/** For each node, the smallest number of bytes from it to the end of its rule. */
export function shortestEnds({ nodes, rules }: Network): Int32Array {
  const unknown = 2 ** 30;
  const found = new Int32Array(nodes.length).fill(unknown);
  const into: number[][] = nodes.map(() => []);
  const callers: number[][] = rules.map(() => []);
  for (const [from, { bytes, free, calls }] of nodes.entries()) {
    for (const { to } of bytes) into[to]!.push(from);
    for (const to of free) into[to]!.push(from);
    for (const { rule, back } of calls) {
      into[back]!.push(from);
      callers[rule]!.push(from);
    }
  }
  const ruleOf = new Map(rules.map(({ start }, rule) => [start, rule]));
  const best = ({ bytes, free, calls, ends }: Network['nodes'][number]): number => {
    let least = ends >= 0 ? 0 : unknown;
    for (const { to } of bytes) least = Math.min(least, 1 + found[to]!);
    for (const to of free) least = Math.min(least, found[to]!);
    for (const { rule, back } of calls) {
      least = Math.min(least, found[rules[rule]!.start]! + found[back]!);
    }
    return least;
  };
  let waiting = new Set(rules.map(({ end }) => end));
  while (waiting.size > 0) {
    const next = new Set<number>();
    for (const node of waiting) {
      const least = best(nodes[node]!);
      if (least >= found[node]!) continue;
      found[node] = least;
      for (const from of into[node]!) next.add(from);
      const rule = ruleOf.get(node);
      if (rule !== undefined) for (const from of callers[rule]!) next.add(from);
    }
    waiting = next;
  }
  return found;
}
