import { isDeepStrictEqual } from 'node:util';
import { fieldNames, inOrder, isPlainObject, parseExactJson } from '@keel/model/exact-json';
import { z } from 'zod';
import { checkMessageFields, checkParts, readTrainingMarks } from './message-fields.ts';
import { asJsonText, type ReportFault, readToolCalls } from './tool-calls.ts';
import { NOT_WELL_FORMED } from './well-formed.ts';

/**
 * One turn of a chat, as the chat template sees it. Fields other than role and content (`name`,
 * `tool_calls`, `tool_call_id`, …) are as in the file, null or absent, except that an empty list of
 * `tool_calls` becomes absent.
 */
export interface Message {
  role: string;
  /**
   * null or absent only in an assistant turn that calls tools, as in the file: templates can
   * distinguish the two. Text parts are joined: templates of text models print a list of parts as
   * Python would, and templates that support parts render them like the joined text.
   */
  content?: string | null;
  [field: string]: unknown;
}

/** Plain text, or a chat. */
export type Content = string | Message[];

export const isChat = (content: Content): content is Message[] => typeof content !== 'string';

/** The text of a message; '' if it only calls tools. */
export const textOf = ({ content }: Pick<Message, 'content'>): string => content ?? '';

/** A text, or the texts of a chat's messages, one after the other. */
export const contentText = (content: Content): string =>
  isChat(content) ? content.map(textOf).join('\n') : content;

/** A text or chat for a file, with arguments of tool calls as text where it was read as text. */
export const asRead = (content: Content): Content =>
  isChat(content) ? content.map((message) => asJsonText(message)) : content;

/**
 * Whether two messages are equivalent: a null field equals an absent one, and absent content equals
 * empty content.
 */
export const sameMessage = (first: Message, second: Message): boolean =>
  first.role === second.role &&
  textOf(first) === textOf(second) &&
  isDeepStrictEqual(withoutNulls(first), withoutNulls(second));

/** Whether two texts or chats are equal, by {@link sameMessage}. */
export const sameContent = (first: Content, second: Content): boolean => {
  if (!isChat(first) || !isChat(second)) return first === second;
  return (
    first.length === second.length &&
    first.every((message, index) => sameMessage(message, second[index]!))
  );
};

const withoutNulls = (message: Message): object => ({
  ...Object.fromEntries(Object.entries(message).filter(([, value]) => value !== null)),
  content: textOf(message),
});

// Role names of other formats: a template would silently drop or misplace such a turn.
const foreignRoles: Record<string, string> = {
  human: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bot: 'assistant',
  ai: 'assistant',
  model: 'assistant',
  function: 'tool',
  function_response: 'tool',
  tool_response: 'tool',
  function_call: 'assistant" and the field "tool_calls',
  tool_call: 'assistant" and the field "tool_calls',
};

const roleSchema = z
  .string({ error: 'a role such as "user" or "assistant"' })
  .superRefine((role, context) => {
    const plain = role.trim().toLowerCase();
    const known = Object.hasOwn(foreignRoles, plain) ? foreignRoles[plain] : undefined;
    const wanted =
      known ??
      (['system', 'developer', 'user', 'assistant', 'tool'].includes(plain) ? plain : undefined);
    if (plain === '') {
      context.addIssue({ code: 'custom', message: 'a role such as "user" or "assistant"' });
    } else if (wanted !== undefined && wanted !== role) {
      context.addIssue({ code: 'custom', message: `the role "${wanted}"` });
    }
  });

/**
 * Text that a tokenizer accepts: a lone surrogate would silently become U+FFFD.
 */
export const textSchema = z.string({ error: 'a string' }).refine((text) => text.isWellFormed(), {
  error: NOT_WELL_FORMED,
});

const textPartSchema = z.looseObject({
  type: z.literal('text', { error: 'the part type "text" (only text is supported)' }),
  text: textSchema,
});

const contentSchema = z.union([textSchema, z.array(textPartSchema)], {
  error: 'a string or a list of {"type": "text", "text": …} parts',
});

export const messageSchema = z
  .looseObject(
    { role: roleSchema, content: contentSchema.nullish() },
    { error: 'a message {"role": …, "content": …}' },
  )
  .transform((fields, context): Message => {
    const { content, ...others } = fields;
    const message: Message = { ...others, role: fields.role };
    const report: ReportFault = (path, expected, advice) => {
      context.addIssue({ code: 'custom', path, message: expected, params: { advice } });
    };
    checkMessageFields(message, report);
    readTrainingMarks(message, report);
    readCalls(message, report);
    if (content === null || content === undefined) {
      // A turn that only calls tools needs no text.
      if (!message.tool_calls) report(['content'], 'a string');
      if (content === null) message.content = null;
    } else {
      if (typeof content !== 'string') checkParts(content, report);
      message.content =
        typeof content === 'string' ? content : content.map((part) => part.text).join('');
    }
    return message;
  });

const readCalls = (message: Message, report: ReportFault): void => {
  if (!Object.hasOwn(message, 'tool_calls')) return;
  const calls = readToolCalls(message.tool_calls, (path, expected, advice) =>
    report(['tool_calls', ...path], expected, advice),
  );
  if (calls === null) {
    delete message.tool_calls;
    return;
  }
  message.tool_calls = calls;
  if (message.role !== 'assistant') {
    report(
      ['tool_calls'],
      `no tool calls in a ${message.role} message`,
      'Only the assistant can call tools',
    );
  }
};

export const messagesSchema = z
  .array(messageSchema, { error: 'a list of messages' })
  .min(1, { error: 'a list of at least one message' });

/** A list of turns as JSON, or as Python's repr. */
const turnList = /^\s*\[\s*\{\s*['"](role|content|from|value)['"]\s*:/;

/**
 * Whether text is a chat written as a string (JSON in JSON, or Python's repr). As plain text, or as
 * the content of a message, it would silently be trained on.
 */
export const holdsMessages = (text: string): boolean => {
  if (turnList.test(text)) return true;
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    const value = parseExactJson(text);
    return Array.isArray(value) ? value.length > 0 && value.every(isTurn) : isWholeTurn(value);
  } catch {
    return false;
  }
};

/** Whether a value has a role, as messages and ShareGPT's turns have. */
export const isTurn = (value: unknown): boolean =>
  isPlainObject(value) && ('role' in value || 'from' in value);

const isWholeTurn = (value: unknown): boolean =>
  isPlainObject(value) &&
  (('role' in value && ('content' in value || 'tool_calls' in value)) ||
    ('from' in value && 'value' in value));

const plainSchema = textSchema.refine((text) => !holdsMessages(text), {
  error: 'a list of messages, not a string that contains one',
});

export const contentOrChatSchema = z.union([plainSchema, messagesSchema], {
  error: 'a string or a list of messages',
});

/**
 * The parsed messages of a text or chat (or a list of them) with their fields in the order of the
 * file, since a template can print them in that order.
 * @param raw the value before parsing
 */
export const inOrderOf = (raw: unknown, parsed: unknown): unknown => {
  if (Array.isArray(raw) && Array.isArray(parsed)) {
    return parsed.map((part, index) => inOrderOf(raw[index], part));
  }
  if (typeof raw !== 'object' || raw === null || typeof parsed !== 'object') return parsed;
  const message = parsed as Message;
  const names = fieldNames(raw).filter((name) => Object.hasOwn(message, name));
  const ordered: Message = {} as Message;
  for (const name of names) ordered[name] = message[name];
  return inOrder(ordered, names);
};
