import type { Content } from '../data/messages.ts';
import { spokenText } from './reward.ts';

const fence = /^ {0,3}(`{3,}|~{3,})[ \t]*([\w+-]*)[^\n]*\n([\s\S]*?)(?:^ {0,3}\1|$(?![\s\S]))/gm;

const names = { python: ['python', 'py', 'python3'] };

/**
 * The code in a completion: its last fenced block in the language, else its last block without a
 * language, else all of it. An unclosed block extends to the end.
 * @param prefill the start of the answer in the prompt, in which a block may begin
 */
export function extractCode(
  completion: Content,
  language: keyof typeof names,
  prefill = '',
): string {
  const text = spokenText(completion);
  const blocks = [...`${prefill}${text}`.matchAll(fence)].map(([, , name, code]) => ({
    name: name!.toLowerCase(),
    code: code!,
  }));
  const own = blocks.filter(({ name }) => names[language].includes(name));
  const nameless = blocks.filter(({ name }) => name === '');
  return own.at(-1)?.code ?? nameless.at(-1)?.code ?? text;
}
