import type { Message } from '../data/messages.ts';

/** Headings of a transcript, and who speaks under them. */
const speakers: Readonly<Record<string, string>> = {
  Human: 'user',
  Assistant: 'assistant',
  CritiqueRequest: 'user',
  Critique: 'assistant',
  RevisionRequest: 'user',
  Revision: 'assistant',
};

/**
 * The messages of a transcript in the form of the paper's examples: paragraphs that start with
 * `Human:`, `Assistant:`, `CritiqueRequest:`, `Critique:`, `RevisionRequest:` or `Revision:`.
 * @returns null if the text does not start with such a heading, or roles do not alternate
 */
export function parseTranscript(text: string): Message[] | null {
  const pieces = text.split(/(?:^|\n\n)(Human|Assistant|(?:Critique|Revision)(?:Request)?):/);
  if (pieces[0]!.trim() !== '') return null;
  const messages: Message[] = [];
  for (let at = 1; at < pieces.length; at += 2) {
    const content = pieces[at + 1]!.trim();
    // Examples in a row end with the heading of the next one.
    if (content === '' && at + 2 >= pieces.length) break;
    const role = speakers[pieces[at]!]!;
    if (messages.at(-1)?.role === role || content === '') return null;
    messages.push({ role, content });
  }
  return messages[0]?.role === 'user' ? messages : null;
}
