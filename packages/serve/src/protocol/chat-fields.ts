import { messagesSchema } from '@keel/align/internal';
import { z } from 'zod';
import { commonShape, only } from './fields.ts';

const constrained = 'constrained output is not available yet. Remove it, or use {"type": "text"}';

/** The fields of POST /v1/chat/completions. */
export const chatSchema = z.strictObject({
  ...commonShape,
  messages: messagesSchema,
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.literal('function', { error: 'expected "function"' }),
        function: z.looseObject({ name: z.string().min(1) }),
      }),
    )
    .nullish(),
  tool_choice: z
    .unknown()
    .refine((value) => value == null || value === 'auto' || value === 'none', {
      error: `forcing a call needs constrained output, which is not available yet. Use "auto" or "none"`,
    })
    .optional(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: z
    .unknown()
    .refine((value) => value == null || (value as { type?: unknown }).type === 'text', {
      error: constrained,
    })
    .optional(),
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
