// An answer of a file, whatever the form of its row.
import type { Content, Place, Rendering } from '@keel/align/data';

export interface AnswerRow {
  place: Place;
  prompt: Content;
  /** Empty answers are allowed: a model may have given one. */
  answer: Content;
  /** The model's name, if the row has it. */
  model: string | null;
  rendering?: Rendering;
  /** The row's other fields. */
  extra: Readonly<Record<string, unknown>>;
}

/** The text of an answer; of a chat, the texts of its messages. */
export const answerText = (content: Content): string =>
  typeof content === 'string'
    ? content
    : content.map((message) => message.content ?? '').join('\n');

/** What identifies a prompt: a text equals a chat of one user message with this text. */
export function promptKey(prompt: Content): string {
  if (typeof prompt === 'string') return prompt.trim();
  const [first] = prompt;
  if (prompt.length === 1 && first?.role === 'user') return (first.content ?? '').trim();
  return JSON.stringify(prompt.map((message) => [message.role, message.content ?? '']));
}
