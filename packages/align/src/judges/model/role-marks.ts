// An answer that contains a chat template's own marks, such as <|im_end|>, must not end the judge's
// message.
import { type ChatTemplate, ChatTemplateError, type Tokenizer } from '@keel/model';

/** Texts that separate turns in rendered chats: special tokens, and what a template writes. */
export function roleMarks(
  tokenizer: Pick<Tokenizer, 'chatTemplate' | 'specialTokenIds' | 'idToToken'>,
): string[] {
  const special = [...tokenizer.specialTokenIds].flatMap((id) => tokenizer.idToToken(id) ?? []);
  const written = tokenizer.chatTemplate === null ? [] : writtenBetween(tokenizer.chatTemplate);
  return [...new Set([...special, ...written])]
    .filter((mark) => mark.length > 1)
    .sort((a, b) => b.length - a.length);
}

const PROBES = ['\u2060q\u2060', '\u2060w\u2060', '\u2060e\u2060'] as const;

/** What a template writes between messages, without white space around it. */
function writtenBetween(template: ChatTemplate): string[] {
  const [asked, answered, again] = PROBES;
  try {
    const text = template.render(
      [
        { role: 'user', content: asked },
        { role: 'assistant', content: answered },
        { role: 'user', content: again },
      ],
      { addGenerationPrompt: true },
    );
    const parts = text.split(new RegExp(PROBES.join('|')));
    // Before the first message there may be a whole system message.
    return parts
      .slice(1)
      .flatMap((part) => part.split(/\s+/))
      .filter((part) => /[^\p{L}\p{N}\s]/u.test(part));
  } catch (error) {
    if (error instanceof ChatTemplateError) return [];
    throw error;
  }
}

/** A text in which no mark occurs: a space follows the first character of each. */
export function withoutMarks(text: string, marks: readonly string[]): string {
  let found = text;
  for (const mark of marks) {
    if (found.includes(mark)) found = found.replaceAll(mark, `${mark[0]} ${mark.slice(1)}`);
  }
  return found;
}
