// Jinja2's filters, with transformers' tojson.
import { collectionFilters } from './filters-collections.ts';
import { itemFilters } from './filters-items.ts';
import { numberFilters } from './filters-numbers.ts';
import { textFilters } from './filters-text.ts';
import type { Kwargs, Value } from './values.ts';

/** A filter or test. Its first argument is the value it applies to. */
export type Apply = (args: readonly Value[], kwargs: Kwargs) => Value;

export const filters: ReadonlyMap<string, Apply> = new Map([
  ...Object.entries(textFilters),
  ...Object.entries(numberFilters),
  ...Object.entries(collectionFilters),
  ...Object.entries(itemFilters),
]);

/** Jinja2 filters that are not supported, and why. */
export const refusedFilters: ReadonlyMap<string, string> = new Map([
  ['random', 'its result is random'],
  ['urlize', 'chat templates do not produce HTML links'],
  ['striptags', 'chat templates do not process HTML'],
]);
