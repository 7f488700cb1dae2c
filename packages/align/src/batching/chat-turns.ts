// Where in a rendered chat the assistant's turns stand: found by rendering it beginning by beginning, so that a template
// needs no markers of its own for them.
import { type ChatTemplate, ChatTemplateError, type Tokenizer } from '@keel/model';
import type { Message } from '../data/messages.ts';

/** Text between two borders of a rendered chat. */
export interface TextPiece {
  text: string;
  scored: boolean;
}

export interface TurnOptions {
  /** The first message that may be scored; those before it are the prompt. */
  first: number;
  /** What the prompt was rendered to, up to where its answer begins; '' without a prompt. */
  prompt: string;
  /** The assistant's turns that are scored: all from `first` on, or the last of them. */
  turns: 'all' | 'last';
  /** Tools that the template is told of. */
  tools?: unknown[] | null;
}

/**
 * Splits a rendered chat, from the end of the prompt on, at the borders of the turns that are scored. A scored piece is all
 * that the template writes from the assistant's first word to the end of the turn, its end token among it; the header
 * before it is what the template writes for an answer to begin.
 * @throws ChatTemplateError where a template writes earlier messages otherwise once later ones follow, so that there is no
 *   border, and where a turn to be scored is the very first message
 */
export function turnPieces(
  template: ChatTemplate,
  messages: readonly Message[],
  { first, prompt, turns, tools = null }: TurnOptions,
): TextPiece[] {
  const spoken = messages.flatMap(({ role }, at) =>
    role === 'assistant' && at >= first ? [at] : [],
  );
  const pieces: TextPiece[] = [];
  let done = prompt;
  const add = (longer: string, scored: boolean): void => {
    const text = textAfter(done, longer);
    if (text !== '') pieces.push({ text, scored });
    done = longer;
  };
  for (const at of turns === 'last' ? spoken.slice(-1) : spoken) {
    // Right after the prompt its own end is the header.
    if (at > first || prompt === '') add(headerBefore(template, messages, at, tools), false);
    add(template.render(messages.slice(0, at + 1), { tools }), true);
  }
  if (messages.at(-1)!.role !== 'assistant') add(template.render(messages, { tools }), false);
  return pieces;
}

function headerBefore(
  template: ChatTemplate,
  messages: readonly Message[],
  at: number,
  tools: unknown[] | null,
): string {
  if (at > 0) return template.render(messages.slice(0, at), { tools, addGenerationPrompt: true });
  throw new ChatTemplateError(
    'The conversation begins with the assistant, so that nothing tells where its template ends and the answer begins: put a message of user or system before it',
  );
}

/** What `longer` has after `text`. */
export function textAfter(text: string, longer: string): string {
  if (longer.startsWith(text)) return longer.slice(text.length);
  throw new ChatTemplateError(
    'The chat template renders the earlier turns otherwise once a later one follows, so that their border is lost.\n' +
      `Before:\n${text}\nAfter:\n${longer}`,
  );
}

/** @throws Error when the model has no chat template */
export function chatTemplateOf({ chatTemplate }: Pick<Tokenizer, 'chatTemplate'>): ChatTemplate {
  if (chatTemplate === null) {
    throw new Error(
      'the row is a chat, but the model has no chat template: use plain strings, or a chat model',
    );
  }
  return chatTemplate;
}
