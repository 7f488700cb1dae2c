/** Counts of what style control corrects for. */
export interface AnswerStyle {
  /** In characters, or in tokens where the row has counts of tokens */
  length: number;
  headers: number;
  /** Items of lists */
  lists: number;
  bold: number;
}

export const styleNames = ['length', 'headers', 'lists', 'bold'] as const;

const patterns: readonly (readonly [keyof AnswerStyle, RegExp])[] = [
  ['headers', /^#{1,6}\s/gm],
  ['lists', /^\s*(?:\d+\.|[-*+])\s/gm],
  ['bold', /\*\*[^*\n]+\*\*|__[^_\n]+__/g],
];

/** Style of an answer in Markdown; code blocks count for its length only (as in FastChat). */
export function styleOf(text: string): AnswerStyle {
  const style: AnswerStyle = { length: text.length, headers: 0, lists: 0, bold: 0 };
  const prose = text.replace(/```[^`]*```/g, '');
  for (const [name, pattern] of patterns) style[name] = prose.match(pattern)?.length ?? 0;
  return style;
}
