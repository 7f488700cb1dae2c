// What lists of the store have in common.
import { counted } from '@keel/align/checking';

/** Characters of a text in a list. */
const SHOWN = 50;

/** A text on one line. */
export function lineOf(text: string, most = SHOWN): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

/** `20 of 1,314 tasks`. */
export function shownOf(shown: number, total: number, noun: string, offset = 0): string {
  if (shown === total) return counted(total, noun);
  const from = offset === 0 ? '' : `, from number ${offset + 1} on`;
  return `${shown} of ${counted(total, noun)}${from}. For more, pass --limit and --offset`;
}
