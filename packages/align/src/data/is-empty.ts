// Whether a value of a file says nothing.

/** Whether a field is empty: absent, null, empty text, or an empty list. */
export const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (Array.isArray(value) && value.length === 0);

/** Whether text means that there is no value, as CSV writes an empty list or a missing value. */
export const isNoValue = (value: unknown): boolean =>
  typeof value === 'string' && /^\s*(\[\s*\]|\{\s*\}|null|none|nan)?\s*$/i.test(value);
