import { isDeepStrictEqual } from 'node:util';
import { fieldNames, inOrder } from '@keel/model/exact-json';
import { z } from 'zod';
import { checkMessageFields, readTrainingMarks } from './message-fields.ts';
import { type ReportFault, readToolCalls } from './tool-calls.ts';

/**
 * One turn of a chat, as the chat template sees it. Fields beside role and content (`name`,
 * `tool_calls`, `tool_call_id`, …) are as the file has them, null or absent, but an empty list of
 * `tool_calls`, which is absent.
 */
export interface Message {
  role: string;
  /**
   * null or absent only in an assistant turn that calls tools, as the file has it: templates can
   * tell the two apart. Text parts are joined: templates of text models print a list of parts as
   * Python would show it, and those that know parts write the same for one text as for its parts.
   */
  content?: string | null;
  [field: string]: unknown;
}

/** Plain text, or a chat. */
export type Content = string | Message[];

export const isChat = (content: Content): content is Message[] => typeof content !== 'string';

/** What a message says; '' where it only calls tools. */
export const textOf = ({ content }: Pick<Message, 'content'>): string => content ?? '';

/**
 * Whether two messages say the same: a null field is as good as none, and no content as good as an
 * empty one.
 */
export const sameMessage = (first: Message, second: Message): boolean =>
  first.role === second.role &&
  textOf(first) === textOf(second) &&
  isDeepStrictEqual(withoutNulls(first), withoutNulls(second));

/** Whether two texts or chats are the same, as {@link sameMessage} compares. */
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

// Names other formats give the roles: a template would drop or misplace such a turn without a word.
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
 * Text that a tokenizer can take: a lone half of a surrogate pair would become U+FFFD unnoticed.
 */
export const textSchema = z.string({ error: 'a string' }).refine((text) => text.isWellFormed(), {
  error: 'valid Unicode text (this has a lone surrogate such as \\ud83d)',
});

const textPartSchema = z.looseObject({
  type: z.literal('text', { error: 'the part type "text" (only text is read)' }),
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
      // A turn that only calls tools has no text of its own.
      if (!message.tool_calls) report(['content'], 'a string');
      if (content === null) message.content = null;
    } else {
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
      'Only the assistant calls tools',
    );
  }
};

export const messagesSchema = z
  .array(messageSchema, { error: 'a list of messages' })
  .min(1, { error: 'a list of at least one message' });

// A chat written as a string (JSON in JSON, or Python's repr) would be learnt as plain text
// unnoticed.
const holdsMessages = /^\s*\[\s*\{\s*['"](role|content|from)['"]\s*:/;

const plainSchema = textSchema.refine((text) => !holdsMessages.test(text), {
  error: 'a list of messages, not a string with such a list written in it',
});

export const contentOrChatSchema = z.union([plainSchema, messagesSchema], {
  error: 'a string or a list of messages',
});

/**
 * The parsed messages of a text or chat (or list of them) with their fields in the file's order,
 * which a template can show.
 * @param raw what was parsed
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
