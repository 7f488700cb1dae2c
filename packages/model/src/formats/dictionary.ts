/**
 * A table for names that come from files. It inherits nothing, so that `constructor` or `toString`
 * are absent like any other unknown name.
 */
export const dictionary = <Value>(
  entries: Readonly<Record<string, Value>> = {},
): Record<string, Value> => Object.assign(Object.create(null), entries);
