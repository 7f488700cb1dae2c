// Writes messages as text, for what reads text without a chat template: patterns and judges.
import { exactJson, isPlainObject } from '@keel/model/exact-json';
import { type Content, isChat, type Message, textOf } from './messages.ts';
import type { Rendering } from './rendering.ts';

interface Answered {
  completion: Content;
  /** An assistant message at its end is the start of the answer, which continues it. */
  prompt?: Content;
  /** What the generation prompt put before a sampled completion, such as `<think>\n`. */
  opened?: string;
}

interface Asked {
  prompt: Content;
  rendering?: Rendering | undefined;
}

/** The text of an assistant message at the end of a prompt, which the answer continues, or ''. */
export function prefillOf(prompt: Content): string {
  const last = isChat(prompt) ? prompt.at(-1) : undefined;
  return last?.role === 'assistant' ? textOf(last) : '';
}

/**
 * The whole message that an answer is part of: what the prompt started or the generation prompt
 * opened, and everything after it, including reasoning and tool calls.
 */
export const wholeMessage = ({ completion, prompt = '', opened = '' }: Answered): string =>
  prefillOf(prompt) +
  opened +
  (isChat(completion)
    ? completion
        .filter(({ role }) => role === 'assistant')
        .map(saidIn)
        .join('\n')
    : completion);

/** {@link wholeMessage}, with the messages of others in an answer, such as results of tools. */
export function wholeAnswer({ completion, opened = '' }: Answered): string {
  // Judges see the start of an answer as the end of the prompt.
  if (!isChat(completion)) return wholeMessage({ completion, opened });
  const parts = completion.map((message) =>
    message.role === 'assistant' ? saidIn(message) : spokenBy(message),
  );
  return opened + parts.join('\n');
}

/**
 * The prompt as text: the tools, then a single question as it is, or a longer chat with its roles.
 */
export function dialogue({ prompt, rendering }: Asked): string {
  const tools = rendering?.tools?.map((tool) => exactJson(tool)) ?? [];
  const asked = chatText(prompt);
  return tools.length === 0 ? asked : `Tools:\n${tools.join('\n')}\n\n${asked}`;
}

function chatText(prompt: Content): string {
  if (!isChat(prompt)) return prompt;
  const [only] = prompt;
  if (prompt.length === 1) return textAndCalls(only!);
  return prompt.map(spokenBy).join('\n\n');
}

const spokenBy = (message: Message): string => `${message.role}: ${textAndCalls(message)}`;

/** Fields that contain the reasoning of an answer. */
const reasoningFields = ['reasoning_content', 'reasoning', 'thinking'];

/** The whole text of an assistant's message, with its reasoning as models write it. */
function saidIn(message: Message): string {
  const reasoning = reasoningFields
    .map((field) => message[field])
    .find((value) => typeof value === 'string' && value !== '');
  const thought = reasoning === undefined ? '' : `<think>\n${reasoning}\n</think>\n\n`;
  return thought + textAndCalls(message);
}

const textAndCalls = (message: Message): string =>
  [message.tool_plan, textOf(message), ...callsIn(message)]
    .filter((part) => typeof part === 'string' && part !== '')
    .join('\n');

/** Each call as `name({"city": "Paris"})`. */
const callsIn = ({ tool_calls: calls }: Message): string[] =>
  (Array.isArray(calls) ? calls.filter(isPlainObject) : []).map((call) => {
    const { name, arguments: args = {} } = isPlainObject(call.function) ? call.function : call;
    return `${name}(${exactJson(args)})`;
  });
