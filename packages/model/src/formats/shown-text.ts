/**
 * Makes text from files, models and errors safe to print on a terminal. A control character could
 * move the cursor, clear the screen or set the clipboard, and a bidirectional one could reverse the
 * order of what is read.
 */

// C0 except tab and newline, DEL, C1; then direction marks, embeddings, overrides and isolates,
// line and paragraph separators, tags and other invisible format characters. ZWNJ and ZWJ stay,
// because scripts and emoji need them.
const hidden =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is looked for
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/**
 * The text with its control characters escaped, such as `\x1b` or `\u202e`. Newlines and tabs stay.
 */
export const shownText = (text: string): string => text.replace(hidden, writtenOut);

/** As {@link shownText}, on one line: newlines and tabs are escaped too, as `\n` and `\t`. */
export const shownLine = (text: string): string =>
  shownText(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t');

const writtenOut = (character: string): string => {
  if (character === '\r') return '\\r';
  const code = character.codePointAt(0)!;
  if (code > 0xffff) return `\\u{${code.toString(16)}}`;
  return code > 0xff
    ? `\\u${code.toString(16).padStart(4, '0')}`
    : `\\x${code.toString(16).padStart(2, '0')}`;
};
