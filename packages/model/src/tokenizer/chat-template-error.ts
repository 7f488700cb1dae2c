import type { Place } from '../jinja/template.ts';

/** A chat template cannot be compiled, or rejected a conversation. */
export class ChatTemplateError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ChatTemplateError';
  }
}

// Many templates are a single line of thousands of characters.
const before = 50;
const after = 40;

/** An excerpt of the line with a caret below the column. */
export const showPlace = ({ text, column }: Place): string => {
  const characters = [...text];
  const start = Math.max(0, column - 1 - before);
  const end = Math.min(characters.length, column - 1 + after);
  const left = start > 0 ? '…' : '';
  const right = end < characters.length ? '…' : '';
  const shown = left + characters.slice(start, end).join('').replaceAll('\t', ' ') + right;
  const mark = ' '.repeat(left.length + column - 1 - start);
  return `\n  ${shown}\n  ${mark}^`;
};
