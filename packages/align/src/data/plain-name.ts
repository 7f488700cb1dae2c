/** A name without case, spaces, `_` and `-`: `systemPrompt` and `System Prompt` are the same. */
export const plainName = (name: string): string => name.replaceAll(/[\s_-]/g, '').toLowerCase();

/** The name among known ones that another name differs from only in its form; undefined if none. */
export const lookalikeOf = (name: string, known: readonly string[]): string | undefined => {
  if (known.includes(name)) return undefined;
  const plain = plainName(name);
  return known.find((one) => plainName(one) === plain);
};
