// POST /tokenize and /detokenize, as vLLM has them.
import type { Context } from 'hono';
import { z } from 'zod';
import { invalid } from '../api-error.ts';
import type { ServerContext } from '../context.ts';
import { chatSchema } from '../protocol/chat-fields.ts';
import { parseBody } from '../protocol/parse-body.ts';
import { chatPrompt } from './chat-prompt.ts';

const { messages, tools, chat_template_kwargs, add_generation_prompt, continue_final_message } =
  chatSchema.shape;

const tokenizeSchema = z.strictObject({
  model: z.string().nullish(),
  prompt: z.string().nullish(),
  messages: messages.optional(),
  ...{ tools, chat_template_kwargs, add_generation_prompt, continue_final_message },
  add_special_tokens: z.boolean().nullish(),
  return_token_strs: z.boolean().nullish(),
});

export const tokenize = (server: ServerContext) => async (context: Context) => {
  const fields = await parseBody(context.req.raw, tokenizeSchema);
  const { name, tokenizer } = server.adapters.find(fields.model ?? server.adapters.base.name);
  const { prompt, messages: chat, add_special_tokens: special } = fields;
  if ((prompt == null) === (chat === undefined)) {
    throw invalid('prompt', 'pass either "prompt" or "messages"');
  }
  if (chat !== undefined && special != null) {
    throw invalid('add_special_tokens', 'the chat template writes the special tokens itself');
  }
  const tokens =
    chat === undefined
      ? tokenizer.encode(prompt!, { addSpecialTokens: special ?? true })
      : chatPrompt({ ...fields, messages: chat, tool_choice: 'auto' }, tokenizer, name).tokens;
  return context.json({
    ...{ count: tokens.length, max_model_len: server.context, tokens },
    token_strs: fields.return_token_strs ? tokens.map((id) => tokenizer.idToToken(id)) : null,
  });
};

const detokenizeSchema = z.strictObject({
  model: z.string().nullish(),
  tokens: z.array(z.int().min(0)),
});

export const detokenize = (server: ServerContext) => async (context: Context) => {
  const { model, tokens } = await parseBody(context.req.raw, detokenizeSchema);
  const { tokenizer } = server.adapters.find(model ?? server.adapters.base.name);
  return context.json({ prompt: tokenizer.decode(tokens) });
};
