/** Longest line of a message's list, in characters. */
const WIDTH = 96;
const INDENT = '    ';

/**
 * A list that ends a message: `intro` and the names on the same line if they are few, otherwise on
 * separate lines.
 */
export function listed(intro: string, names: readonly string[], end = ''): string {
  const short = `${intro} ${names.join(', ')}${end}`;
  if (short.length <= WIDTH) return short;
  const lines = [intro];
  names.forEach((name, at) => {
    const part = name + (at < names.length - 1 ? ',' : end);
    const line = `${lines.at(-1)} ${part}`;
    if (lines.length > 1 && line.length <= WIDTH) lines[lines.length - 1] = line;
    else lines.push(`${INDENT}${part}`);
  });
  return lines.join('\n');
}
