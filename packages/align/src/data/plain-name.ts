/** A name without case, spaces, `_` and `-`: `systemPrompt` and `System Prompt` are the same. */
export const plainName = (name: string): string => name.replaceAll(/[\s_-]/g, '').toLowerCase();

/**
 * Finds the known name that another name differs from only in its form; undefined for a known name,
 * and if there is none.
 */
export const lookalikes = (known: readonly string[]): ((name: string) => string | undefined) => {
  const names = new Set(known);
  const byPlain = new Map(known.map((name) => [plainName(name), name]));
  return (name) => (names.has(name) ? undefined : byPlain.get(plainName(name)));
};
