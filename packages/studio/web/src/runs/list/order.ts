// Which runs are listed, and in which order.
import type { RunSummary } from '../use-runs.ts';

/** Orders of the list. */
export const sorts = [
  { value: 'updated', label: 'Last written' },
  { value: 'started', label: 'Last started' },
  { value: 'name', label: 'Name' },
] as const;

/** What a run must be like. */
export interface RunFilter {
  text: string;
  state: string | null;
  kind: string | null;
}

/** Whether a run is like what was asked for: every word is somewhere. */
export function matches(run: RunSummary, { text, state, kind }: RunFilter): boolean {
  const said = [run.id, run.verb, run.model, run.kind].join(' ').toLowerCase();
  const words = text.toLowerCase().split(/\s+/);
  return (
    words.every((word) => said.includes(word)) &&
    (state === null || run.state === state) &&
    (kind === null || run.kind === kind)
  );
}

/** Stages stay behind their recipe, in their own order. */
export function inOrder(runs: readonly RunSummary[], sort: string): RunSummary[] {
  const known = new Map(runs.map((run) => [run.id, run]));
  const top = (run: RunSummary): RunSummary => {
    const parent = run.parent === null ? undefined : known.get(run.parent);
    return parent === undefined ? run : top(parent);
  };
  const time = (run: RunSummary): string => (sort === 'started' ? run.started : run.updated) ?? '';
  const groups = Map.groupBy(runs, (run) => top(run).id);
  const newest = (group: readonly RunSummary[]): string => group.map(time).sort().at(-1) ?? '';
  return [...groups.values()]
    .map((group) => ({
      first: top(group[0]!),
      newest: newest(group),
      group: group.toSorted((a, b) => stageOrder(a, b)),
    }))
    .sort((a, b) =>
      sort === 'name' || a.newest === b.newest
        ? a.first.id.localeCompare(b.first.id)
        : a.newest < b.newest
          ? 1
          : -1,
    )
    .flatMap(({ first, group }) => [first, ...group.filter(({ id }) => id !== first.id)]);
}

/** Stages in the order in which they started. */
export function stageOrder(a: RunSummary, b: RunSummary): number {
  const [left, right] = [a.started ?? a.updated ?? '', b.started ?? b.updated ?? ''];
  if (left !== right) return left < right ? -1 : 1;
  return a.id.localeCompare(b.id);
}
