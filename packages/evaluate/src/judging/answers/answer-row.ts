// An answer of a file, whatever the form of its row.
import {
  type Content,
  isChat,
  type Place,
  type Rendering,
  textOf,
  wholeAnswer,
} from '@keel/align/data';
import { exactJson } from '@keel/model/exact-json';

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
  /** Of a run's sample: the columns of its prompt, for rewards; absent if they are not known. */
  columns?: Readonly<Record<string, unknown>>;
}

/**
 * The text of an answer, as judges see it: with its reasoning, its tool calls and their results.
 */
export const answerText = (completion: Content): string => wholeAnswer({ completion });

/**
 * What identifies a prompt: its messages with all their fields, and its tools. A text equals a chat
 * of one user message with this text. Template variables are not part of it: they say how a model
 * was asked, such as with `enable_thinking`.
 */
export function promptKey(prompt: Content, rendering?: Rendering): string {
  const tools = rendering?.tools ?? null;
  return tools === null ? chatKey(prompt) : exactJson([chatKey(prompt), tools]);
}

/** {@link promptKey} without the tools. */
function chatKey(prompt: Content): string {
  if (!isChat(prompt)) return prompt.trim();
  const messages = prompt.map(({ role, content: _, ...others }) => ({
    role,
    others: Object.entries(others)
      .filter(([, value]) => value !== null && value !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  }));
  const texts = prompt.map(textOf);
  const [only] = messages;
  if (messages.length === 1 && only!.role === 'user' && only!.others.length === 0) {
    return texts[0]!.trim();
  }
  return exactJson(messages.map(({ role, others }, at) => [role, texts[at], ...others]));
}
