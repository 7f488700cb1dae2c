/** Names that each name points to. */
type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Groups of names that reach each other along edges in either direction. */
export function weaklyConnected(graph: Graph): string[][] {
  const both = new Map([...graph.keys()].map((name) => [name, new Set<string>()]));
  for (const [from, targets] of graph) {
    for (const to of targets) {
      both.get(from)!.add(to);
      both.get(to)!.add(from);
    }
  }
  const left = new Set(graph.keys());
  const groups: string[][] = [];
  for (const start of graph.keys()) {
    if (!left.has(start)) continue;
    const group = [...reachable(both, start)].sort();
    for (const name of group) left.delete(name);
    groups.push(group);
  }
  return groups;
}

/** Groups of names that all reach each other along the edges' direction. */
export function stronglyConnected(graph: Graph): string[][] {
  const backwards = new Map([...graph.keys()].map((name) => [name, new Set<string>()]));
  for (const [from, targets] of graph) for (const to of targets) backwards.get(to)!.add(from);
  const left = new Set(graph.keys());
  const groups: string[][] = [];
  for (const start of graph.keys()) {
    if (!left.has(start)) continue;
    const from = reachable(backwards, start);
    const group = [...reachable(graph, start)].filter((name) => from.has(name)).sort();
    for (const name of group) left.delete(name);
    groups.push(group);
  }
  return groups;
}

function reachable(graph: Graph, start: string): Set<string> {
  const found = new Set([start]);
  const queue = [start];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    for (const next of graph.get(name)!) {
      if (found.has(next)) continue;
      found.add(next);
      queue.push(next);
    }
  }
  return found;
}
