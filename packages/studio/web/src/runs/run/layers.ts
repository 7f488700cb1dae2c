/**
 * Nodes of a graph in layers: each is behind all that it was made from, and as near as possible to
 * what was made from it. A cycle does not end.
 */
export function layersOf(
  nodes: readonly { id: string }[],
  edges: readonly { from: string; to: string }[],
): string[][] {
  const depth = new Map(nodes.map(({ id }) => [id, 0]));
  // The longest path has fewer edges than nodes; more rounds would follow a cycle.
  for (let round = 0; round < nodes.length; round++) {
    let changed = false;
    for (const { from, to } of edges) {
      const least = depth.get(from)! + 1;
      if (from === to || depth.get(to)! >= least || least >= nodes.length) continue;
      depth.set(to, least);
      changed = true;
    }
    if (!changed) break;
  }
  for (const { id } of nodes) {
    if (edges.some(({ to }) => to === id)) continue;
    const next = edges.filter(({ from }) => from === id).map(({ to }) => depth.get(to)!);
    if (next.length > 0) depth.set(id, Math.max(0, Math.min(...next) - 1));
  }
  const layers = Map.groupBy(
    nodes.map(({ id }) => id),
    (id) => depth.get(id)!,
  );
  const full = [...layers].sort(([a], [b]) => a - b).map(([, layer]) => layer);
  // A node is at the mean height of those before it, so that few edges cross.
  const row = new Map<string, number>();
  for (const layer of full) {
    const mean = (id: string): number => {
      const before = edges.filter(({ to, from }) => to === id && row.has(from));
      if (before.length === 0) return layer.indexOf(id);
      return before.reduce((sum, { from }) => sum + row.get(from)!, 0) / before.length;
    };
    const heights = new Map(layer.map((id) => [id, mean(id)]));
    layer.sort((a, b) => heights.get(a)! - heights.get(b)!);
    for (const [at, id] of layer.entries()) row.set(id, at);
  }
  return full;
}
