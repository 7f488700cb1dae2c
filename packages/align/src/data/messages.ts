import { z } from 'zod';

/**
 * One turn of a chat. Fields beside role and content (`name`, `tool_calls`, `tool_call_id`, …) are
 * kept for the chat template; those that are null are dropped, as Parquet writes absent fields so.
 */
export interface Message {
  role: string;
  content: string;
  [field: string]: unknown;
}

/** Plain text, or a chat. */
export type Content = string | Message[];

export const isChat = (content: Content): content is Message[] => typeof content !== 'string';

// Names other formats give the roles: a template would drop or misplace such a turn without a word.
const foreignRoles: Record<string, string> = {
  human: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bot: 'assistant',
  ai: 'assistant',
  model: 'assistant',
};

const roleSchema = z
  .string({ error: 'a role such as "user" or "assistant"' })
  .superRefine((role, context) => {
    const plain = role.trim().toLowerCase();
    const known = foreignRoles[plain];
    const wanted =
      known ?? (['system', 'user', 'assistant', 'tool'].includes(plain) ? plain : undefined);
    if (plain === '') {
      context.addIssue({ code: 'custom', message: 'a role such as "user" or "assistant"' });
    } else if (wanted !== undefined && wanted !== role) {
      context.addIssue({ code: 'custom', message: `the role "${wanted}"` });
    }
  });

/** Text that a tokenizer can take: a lone half of a surrogate pair would become U+FFFD unnoticed. */
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
    const message: Message = { role: fields.role, content: '' };
    for (const [name, value] of Object.entries(fields)) {
      if (value !== null && value !== undefined) message[name] = value;
    }
    const { content } = fields;
    if (content === null || content === undefined) {
      // A turn that only calls tools has no text of its own.
      if (!message.tool_calls) {
        context.addIssue({ code: 'custom', path: ['content'], message: 'a string' });
      }
      message.content = '';
    } else {
      message.content =
        typeof content === 'string' ? content : content.map((part) => part.text).join('');
    }
    return message;
  });

export const messagesSchema = z
  .array(messageSchema, { error: 'a list of messages' })
  .min(1, { error: 'a list of at least one message' });

// A chat written as a string (JSON in JSON, or Python's repr) would be learnt as plain text unnoticed.
const holdsMessages = /^\s*\[\s*\{\s*['"](role|content|from)['"]\s*:/;

const plainSchema = textSchema.refine((text) => !holdsMessages.test(text), {
  error: 'a list of messages, not a string with such a list written in it',
});

export const contentOrChatSchema = z.union([plainSchema, messagesSchema], {
  error: 'a string or a list of messages',
});
