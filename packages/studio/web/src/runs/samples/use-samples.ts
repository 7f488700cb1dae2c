// Pages of sampled answers.
import { keepPreviousData } from '@tanstack/react-query';
import { answerOf, api } from '../../api.ts';

/** Which samples are listed. */
export interface SampleFilter {
  text: string;
  rows: 'all' | 'training' | 'heldOut';
  fromStep: number | undefined;
  toStep: number | undefined;
  minReward: number | undefined;
  maxReward: number | undefined;
  /** What to sort by; with a minus before it, descending. */
  sort: string;
}

export const noFilter: SampleFilter = {
  ...{ text: '', rows: 'all', sort: 'line' },
  ...{ fromStep: undefined, toStep: undefined, minReward: undefined, maxReward: undefined },
};

/** Samples of a page. */
export const PAGE = 100;

type Query = Parameters<typeof api.runs.samples.$get>[0]['query'];

/** What the route is asked for. */
export function sampleQuery(
  run: string,
  filter: SampleFilter,
  offset: number,
  limit: number,
): Query {
  const { text, rows, sort, ...bounds } = filter;
  return {
    ...{ run, offset: String(offset), limit: String(limit) },
    ...(text.trim() !== '' && { text }),
    ...(rows !== 'all' && { heldOut: rows === 'heldOut' }),
    ...Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined)),
    sort: sort.replace(/^-/, '') as NonNullable<Query['sort']>,
    descending: sort.startsWith('-'),
  };
}

/** A page by its number, from 0. */
export const pageQuery = (run: string, filter: SampleFilter, page: number) => ({
  queryKey: ['run', run, 'samples', filter, page],
  queryFn: () =>
    answerOf(api.runs.samples.$get({ query: sampleQuery(run, filter, page * PAGE, PAGE) })),
  placeholderData: keepPreviousData,
});
