// Jinja2's filters, with transformers' tojson.

import type { Apply } from './filter-tools.ts';
import { collectionFilters } from './filters-collections.ts';
import { itemFilters } from './filters-items.ts';
import { numberFilters } from './filters-numbers.ts';
import { textFilters } from './filters-text.ts';
import { filtersByName } from './named-filters.ts';

export const filters: ReadonlyMap<string, Apply> = new Map([
  ...Object.entries(textFilters),
  ...Object.entries(numberFilters),
  ...Object.entries(collectionFilters),
  ...Object.entries(itemFilters),
]);

for (const [name, filter] of filters) filtersByName.set(name, filter);

/** Jinja2 filters that are not supported, and why. */
export const refusedFilters: ReadonlyMap<string, string> = new Map([
  ['random', 'its result is random'],
  ['urlize', 'chat templates do not produce HTML links'],
  ['striptags', 'chat templates do not process HTML'],
]);
