import type { Place } from '../jinja/template.ts';

/** A chat template could not be parsed, or refused a conversation. */
export class ChatTemplateError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ChatTemplateError';
  }
}

// Many templates are one line of thousands of characters.
const before = 50;
const after = 40;

/** The part of a line around a place, with a mark below it. */
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
