// What a generation prompt writes beyond the header of an assistant's turn: text that every answer continues.
import type { ChatMessage, ChatTemplate } from '@keel/model';

/** Stands for an answer's content; no template contains it. */
const CONTENT = 'KEEL-ANSWER-CONTENT';

/** A chat up to where an answer begins, and what of its end the template opened for the answer. */
export function renderPrompt(
  messages: readonly ChatMessage[],
  template: ChatTemplate,
): { text: string; opened: string } {
  const text = template.render(messages, { addGenerationPrompt: true });
  const header = headerOf(template);
  if (header === null) return { text, opened: '' };
  const before = rendered(template, messages);
  if (before === null || !text.startsWith(before + header)) return { text, opened: '' };
  return { text, opened: text.slice(before.length + header.length) };
}

const headers = new WeakMap<ChatTemplate, { header: string | null }>();

/**
 * What a template writes before an assistant's content in the middle of a conversation; null where that cannot be told.
 * The last turn will not do: reasoning templates give it an empty thought of its own.
 */
function headerOf(template: ChatTemplate): string | null {
  let known = headers.get(template);
  if (known === undefined) {
    const question = { role: 'user', content: 'a' };
    const before = rendered(template, [question]);
    const answer = { role: 'assistant', content: CONTENT };
    const whole = rendered(template, [question, answer, { role: 'user', content: 'b' }]);
    const at = whole?.indexOf(CONTENT) ?? -1;
    const follows = before !== null && at >= before.length && whole!.startsWith(before);
    known = { header: follows ? whole!.slice(before.length, at) : null };
    headers.set(template, known);
  }
  return known.header;
}

/** null where the template refuses these messages. */
function rendered(template: ChatTemplate, messages: readonly ChatMessage[]): string | null {
  try {
    return template.render(messages, { addGenerationPrompt: false });
  } catch {
    return null;
  }
}
