/** Words below which an answer is a phrase, which needs no full stop. */
const LEAST_WORDS = 8;

/**
 * Whether a text looks as if a token limit had cut it off: it is written in sentences, and its last
 * line is none. A guess for answers whose row does not say how they ended.
 */
export function looksCutOff(text: string): boolean {
  const trimmed = text.trimEnd();
  const words = trimmed.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;
  if (words < LEAST_WORDS) return false;
  const last = trimmed.slice(trimmed.lastIndexOf('\n') + 1);
  // Items, headers, tables and code end without a full stop.
  if (/^\s*(?:[-*+•#|>]|\d{1,3}[.)]|```|~~~)/.test(last)) return false;
  if (!/[.!?…。！？]["'”’)\]]*\s+\S/u.test(trimmed) && !/[。！？]/.test(trimmed)) return false;
  return /[\p{L}\p{M}\p{N},;–—-]$/u.test(trimmed);
}
