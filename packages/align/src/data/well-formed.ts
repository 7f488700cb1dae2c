/** What is expected in place of a lone surrogate. */
export const NOT_WELL_FORMED = 'valid Unicode text (this has a lone surrogate such as \\ud83d)';

/**
 * Whether all text in a value is valid Unicode: a lone surrogate would silently become U+FFFD.
 */
export const isWellFormed = (value: unknown): boolean => {
  if (typeof value === 'string') return value.isWellFormed();
  if (Array.isArray(value)) return value.every(isWellFormed);
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([name, part]) => name.isWellFormed() && isWellFormed(part));
};
