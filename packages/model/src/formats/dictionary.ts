/**
 * A table that is looked up by names from files. It inherits nothing, so that `constructor` or
 * `toString` are names like any other that it does not have.
 */
export const dictionary = <Value>(
  entries: Readonly<Record<string, Value>> = {},
): Record<string, Value> => Object.assign(Object.create(null), entries);
