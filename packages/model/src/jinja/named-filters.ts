// Filters and tests by name, for those that take a name themselves: map, select and their kin, and
// the tests `filter` and `test`. filters.ts and tests.ts fill these tables.
import type { Apply } from './filter-tools.ts';

export const filtersByName = new Map<string, Apply>();
export const testsByName = new Map<string, Apply>();
