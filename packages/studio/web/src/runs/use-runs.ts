// What the pages know of runs, kept up to date while they train.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { InferResponseType } from 'hono/client';
import { useEffect } from 'react';
import { answerOf, api, queries } from '../api.ts';

type Listed = InferResponseType<typeof api.runs.$get, 200>;

/** A run in a list. */
export type RunSummary = Listed['runs'][number];
/** A run with all that its page shows. */
export type RunDetails = InferResponseType<typeof api.runs.details.$get, 200>;
/** What a command found, by its kind. */
export type FoundResults<Kind extends NonNullable<RunDetails['results']>['kind']> = Extract<
  NonNullable<RunDetails['results']>,
  { kind: Kind }
>['found'];
export type RunChart = RunDetails['charts'][number];
/** A metric of a run. */
export type Series = InferResponseType<typeof api.runs.series.$get, 200>[number];
export type CostPoint = InferResponseType<(typeof api.runs)['reward-costs']['$get'], 200>[number];
export type Sample = InferResponseType<typeof api.runs.samples.$get, 200>['samples'][number];
export type Comparison = InferResponseType<typeof api.runs.comparison.$get, 200>;

/** Points of a curve: two for each pixel are more than a screen shows. */
const POINTS = 600;

const listKey = ['runs'];

/** All runs. */
export const useRuns = () =>
  useQuery({ queryKey: listKey, queryFn: () => answerOf(api.runs.$get()) });

/** Everything about a run but its numbers and samples. */
export const useRun = (run: string) =>
  useQuery({
    queryKey: ['run', run, 'details'],
    queryFn: () => answerOf(api.runs.details.$get({ query: { run } })),
    // A process that fails at once writes nothing that would be noticed.
    refetchInterval: ({ state: { data } }) =>
      data?.stopping || data?.resumed?.running ? 1500 : false,
  });

/** Whether another trainer than Keel made it, such as TRL. */
export const isOfOtherTrainer = ({ kind }: Pick<RunSummary, 'kind'>): boolean =>
  kind === 'trainer' || kind === 'tensorboard';

/** A part of all curves, by steps; null: all steps. */
export type Range = readonly [from: number, to: number] | null;

const rangeQuery = (range: Range) => (range === null ? {} : { from: range[0], to: range[1] });

/** Metrics of a run. */
export const useSeries = (run: string, name: string[], range: Range = null) =>
  useQuery(seriesQuery(run, name, range));

/** The same for several runs at once. */
export const seriesQuery = (run: string, name: string[], range: Range) => ({
  queryKey: ['run', run, 'series', name, range],
  queryFn: () =>
    answerOf(api.runs.series.$get({ query: { run, name, points: POINTS, ...rangeQuery(range) } })),
  // Curves stay while more of them come.
  placeholderData: keepPreviousData,
  enabled: name.length > 0,
});

/** All points of metrics, for a file. */
export const allSeries = (run: string, name: string[]): Promise<Series[]> =>
  answerOf(api.runs.series.$get({ query: { run, name } }));

interface Change {
  runs: RunSummary[];
  removed: string[];
  all: boolean;
}

/**
 * Keeps what is known of runs up to date while a page shows them. A hidden page does not listen: a
 * browser has few connections to one server.
 */
export function useRunChanges(): void {
  useEffect(() => {
    let source: EventSource | null = null;
    const listen = (): void => {
      source?.close();
      source = null;
      if (document.visibilityState === 'hidden') return;
      source = new EventSource('/api/runs/events');
      source.addEventListener('runs', ({ data }: MessageEvent<string>) => apply(JSON.parse(data)));
    };
    listen();
    document.addEventListener('visibilitychange', listen);
    return () => {
      document.removeEventListener('visibilitychange', listen);
      source?.close();
    };
  }, []);
}

function apply(change: Change): void {
  const known = queries.getQueryData<Listed>(listKey);
  if (known !== undefined) queries.setQueryData(listKey, merged(known, change));
  const changed = change.runs.filter((run) => {
    const before = known?.runs.find(({ id }) => id === run.id);
    return before === undefined || JSON.stringify(before) !== JSON.stringify(run);
  });
  // A folder of events that is gone is part of the run that is above it now.
  const moved = change.removed.filter((id) => changed.some((run) => id.startsWith(`${run.id}/`)));
  for (const id of [...changed.map((run) => run.id), ...moved]) {
    void queries.invalidateQueries({ queryKey: ['run', id] });
  }
  if (changed.length > 0) void queries.invalidateQueries({ queryKey: ['comparison'] });
}

function merged(known: Listed, { runs: changed, removed, all }: Change): Listed {
  const runs = new Map((all ? [] : known.runs).map((run) => [run.id, run]));
  for (const run of changed) runs.set(run.id, run);
  for (const id of removed) runs.delete(id);
  const exists = known.exists || changed.length > 0;
  return { ...known, exists, runs: [...runs.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

/** The address of a run's page. */
export const runPath = (id: string): string =>
  `/runs/view/${id.split('/').map(encodeURIComponent).join('/')}`;

/** The address of a comparison: it holds the selection, so it can be shared. */
export const comparePath = (ids: readonly string[]): string =>
  `/runs/compare?${ids.map((id) => `run=${encodeURIComponent(id)}`).join('&')}`;

/** The last part of an id, and the folders before it. */
export function nameOf(id: string): { name: string; folder: string } {
  const at = id.lastIndexOf('/');
  return { name: id === '.' ? 'this folder' : id.slice(at + 1), folder: id.slice(0, at + 1) };
}
