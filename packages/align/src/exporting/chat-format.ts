// The format of a chat template, if it only puts fixed texts around the messages. Found by
// rendering chats with known contents, and checked on others.
import type { ChatMessage, ChatTemplate } from '@keel/model';

/** What stands before and after a message's content. */
export type Around = readonly [before: string, after: string];

export interface ChatFormat {
  /** Before everything else. */
  start: string;
  /** In the place of a system message, if a chat has none. */
  withoutSystem: string;
  system: Around;
  user: Around;
  assistant: Around;
  /** After the last message, where the model goes on. */
  generation: string;
}

const [SYSTEM, FIRST, ANSWER, SECOND] = ['Qsystem0Q', 'Quser1Q', 'Qanswer2Q', 'Quser3Q'];
const message = (role: string, content: string): ChatMessage => ({ role, content });

/**
 * @param bos the text of the beginning-of-sequence token; '' if there is none
 * @returns null if the template does something else with messages, or depends on the date
 */
export function chatFormatOf(template: ChatTemplate, bos: string): ChatFormat | null {
  try {
    const found = derived(template, bos);
    if (found === null || !predicts(found, template)) return null;
    return template.clockReadings.length > 0 ? null : found;
  } catch {
    // It refuses such chats, as Gemma's refuses system messages.
    return null;
  }
}

function derived(template: ChatTemplate, bos: string): ChatFormat | null {
  const user = message('user', FIRST!);
  const render = (messages: ChatMessage[], addGenerationPrompt: boolean): string =>
    template.render(messages, { addGenerationPrompt });
  const single = cut(render([user], false), [FIRST!]);
  const prompted = cut(render([user], true), [FIRST!]);
  const answered = cut(render([user, message('assistant', ANSWER!)], false), [FIRST!, ANSWER!]);
  const turns = [user, message('assistant', ANSWER!), message('user', SECOND!)];
  const long = cut(render(turns, true), [FIRST!, ANSWER!, SECOND!]);
  const guided = cut(render([message('system', SYSTEM!), user], true), [SYSTEM!, FIRST!]);
  if (!single || !prompted || !answered || !long || !guided) return null;
  const userAfter = single[1]!;
  const assistantAfter = answered[2]!;
  const generation = without(prompted[1]!, userAfter, 'start');
  const assistantBefore = without(long[1]!, userAfter, 'start');
  const userBefore = without(long[2]!, assistantAfter, 'start');
  if (generation === null || assistantBefore === null || userBefore === null) return null;
  const systemAfter = without(guided[1]!, userBefore, 'end');
  const opening = without(prompted[0]!, userBefore, 'end');
  if (systemAfter === null || opening === null) return null;
  const hasStart = bos !== '' && opening.startsWith(bos) && guided[0]!.startsWith(bos);
  const start = hasStart ? bos : '';
  return {
    start,
    withoutSystem: opening.slice(start.length),
    system: [guided[0]!.slice(start.length), systemAfter],
    user: [userBefore, userAfter],
    assistant: [assistantBefore, assistantAfter],
    generation,
  };
}

/** The texts around the contents, which must all occur once and in order. */
function cut(text: string, contents: readonly string[]): string[] | null {
  const parts: string[] = [];
  let rest = text;
  for (const content of contents) {
    const [before, ...after] = rest.split(content);
    if (after.length !== 1) return null;
    parts.push(before!);
    rest = after[0]!;
  }
  return [...parts, rest];
}

function without(text: string, part: string, at: 'start' | 'end'): string | null {
  if (at === 'start') return text.startsWith(part) ? text.slice(part.length) : null;
  return text.endsWith(part) ? text.slice(0, text.length - part.length) : null;
}

/** The text of a chat in this format, for the model to go on. */
export function formatted(format: ChatFormat, messages: readonly ChatMessage[]): string {
  const first = messages[0]?.role === 'system' ? '' : format.withoutSystem;
  const turns = messages.map(({ role, content }) => {
    const [before, after] = format[role as 'system' | 'user' | 'assistant'];
    return `${before}${content}${after}`;
  });
  return [format.start, first, ...turns, format.generation].join('');
}

const [guide, ask, answer] = [
  message('system', 'You answer in one sentence.\nNever in two.'),
  message('user', "What's 2 + 2?"),
  message('assistant', 'Four: "4".\n\nThat is all.'),
];
const again = message('user', 'And {{ 3 }} <b>times</b>?');

function predicts(format: ChatFormat, template: ChatTemplate): boolean {
  const chats = [
    [ask!],
    [guide!, ask!],
    [ask!, answer!, again],
    [guide!, ask!, answer!, again],
    [ask!, answer!, again, answer!, ask!],
  ];
  return chats.every(
    (chat) => template.render(chat, { addGenerationPrompt: true }) === formatted(format, chat),
  );
}
