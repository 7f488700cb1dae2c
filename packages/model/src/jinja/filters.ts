// The filters of Jinja2, with transformers' tojson.
import { collectionFilters } from './filters-collections.ts';
import { itemFilters } from './filters-items.ts';
import { numberFilters } from './filters-numbers.ts';
import { textFilters } from './filters-text.ts';
import type { Kwargs, Value } from './values.ts';

/** A filter or test: its first argument is the value it applies to. */
export type Apply = (args: readonly Value[], kwargs: Kwargs) => Value;

export const filters: ReadonlyMap<string, Apply> = new Map([
  ...Object.entries(textFilters),
  ...Object.entries(numberFilters),
  ...Object.entries(collectionFilters),
  ...Object.entries(itemFilters),
]);

/** Filters of Jinja2 that are not here, and why. */
export const refusedFilters: ReadonlyMap<string, string> = new Map([
  ['random', 'gives another text every time'],
  ['urlize', 'makes HTML links, which chat templates never do'],
  ['striptags', 'takes HTML apart, which chat templates never do'],
]);
