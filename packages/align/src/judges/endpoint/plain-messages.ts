import type { Message } from '../../data/messages.ts';

/**
 * Marks of common chat templates. A server that renders a chat template reads them in a message as
 * the ends of turns, so that an answer could end the question and write the verdict.
 */
const marks =
  /<(?=\|[\w-]{1,40}\|>)|<(?=\/?s>)|<(?=(?:start|end)_of_turn>)|\[(?=\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS)\])|<(?=<\/?SYS>>)|<(?=｜[^｜<>]{1,40}｜>)/g;

/** Messages in which a space breaks the marks of chat templates. */
export const withoutTemplateMarks = (messages: readonly Message[]): Message[] =>
  messages.map((message) =>
    typeof message.content === 'string'
      ? { ...message, content: message.content.replace(marks, '$& ') }
      : message,
  );
