import type { Message } from '@keel/align/data';
import { inOrderOf, messagesSchema } from '@keel/align/internal';
import { z } from 'zod';
import { commonShape, only } from './fields.ts';

/** Messages with their fields in the client's order, which a template can print. */
const orderedMessages = z.unknown().transform((raw, context): Message[] => {
  const parsed = messagesSchema.safeParse(raw);
  if (parsed.success) return inOrderOf(raw, parsed.data) as Message[];
  context.issues.push(...(parsed.error.issues as typeof context.issues));
  return z.NEVER;
});

/** A tool as the client wrote it; the template prints its fields in their order. */
const tool = z.custom<Record<string, unknown>>(
  (value) => {
    const { type, function: described } = (value ?? {}) as Record<string, unknown>;
    const { name } = (described ?? {}) as Record<string, unknown>;
    return type === 'function' && typeof name === 'string' && name !== '';
  },
  { error: 'expected {"type": "function", "function": {"name": …, "parameters": {…}}}' },
);

/** The fields of POST /v1/chat/completions. */
export const chatSchema = z.strictObject({
  ...commonShape,
  messages: orderedMessages,
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: z
    .union(
      [
        z.enum(['auto', 'none', 'required']),
        z.strictObject({
          type: z.literal('function'),
          function: z.strictObject({ name: z.string().min(1) }),
        }),
      ],
      {
        error:
          'expected "auto", "none", "required" or {"type": "function", "function": {"name": …}}',
      },
    )
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  // vLLM's extensions
  chat_template_kwargs: z.record(z.string(), z.unknown()).nullish(),
  add_generation_prompt: z.boolean().nullish(),
  continue_final_message: z.boolean().nullish(),
  // Fields that only some values of can be honoured.
  store: only([false], 'answers are not stored'),
  service_tier: only(['auto', 'default'], 'expected "auto" or "default"'),
  modalities: z.array(z.literal('text', { error: 'only text can be generated' })).nullish(),
  metadata: only([], 'answers are not stored, so metadata has no use'),
  reasoning_effort: only(
    [],
    'set the variables of the chat template instead: "chat_template_kwargs"',
  ),
  functions: only([], 'deprecated by OpenAI. Use "tools"'),
  function_call: only([], 'deprecated by OpenAI. Use "tool_choice"'),
});

export type ChatFields = z.infer<typeof chatSchema>;
