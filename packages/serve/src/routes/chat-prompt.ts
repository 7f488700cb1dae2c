// From the messages of a chat to the tokens that the model continues.
import { answerOpening, lostParts, openedPrompt, type Rendering } from '@keel/align/internal';
import type { Tokenizer } from '@keel/model';
import { ChatTemplateError } from '@keel/model';
import { invalid } from '../api-error.ts';
import type { ChatFields } from '../protocol/chat-fields.ts';
import { type ToolFormat, toolFormatOf } from '../tools/tool-formats.ts';

export interface ChatPrompt {
  tokens: number[];
  /** What the prompt opens of the answer, such as `<think>\n`. */
  opened: string;
  /** How the answer calls tools; null: it cannot. */
  tools: ToolFormat | null;
}

type PromptFields = Pick<
  ChatFields,
  | 'messages'
  | 'tools'
  | 'tool_choice'
  | 'chat_template_kwargs'
  | 'add_generation_prompt'
  | 'continue_final_message'
>;

/** @throws ApiError if the template rejects the messages, drops one, or has no tools */
export function chatPrompt(fields: PromptFields, tokenizer: Tokenizer, name: string): ChatPrompt {
  const { chatTemplate } = tokenizer;
  if (chatTemplate === null) {
    throw invalid(
      'messages',
      `"${name}" has no chat template. Use /v1/completions, or start the server with --chat-template`,
    );
  }
  const asked = fields.tool_choice === 'none' ? null : (fields.tools ?? null);
  const rendered = asked !== null && asked.length > 0 ? asked : null;
  const format = rendered === null ? null : toolFormatOf(chatTemplate);
  if (rendered !== null && format === null) {
    throw invalid(
      'tools',
      `tools: how "${name}" writes tool calls is not known. Known are the templates of Qwen, SmolLM3 and Hermes, Mistral and Llama 3`,
    );
  }
  try {
    return { ...renderedPrompt(fields, tokenizer, rendered), tools: format };
  } catch (error) {
    if (error instanceof ChatTemplateError) throw invalid('messages', error.message);
    throw error;
  }
}

function renderedPrompt(
  fields: PromptFields,
  tokenizer: Tokenizer,
  tools: unknown[] | null,
): { tokens: number[]; opened: string } {
  const { messages, add_generation_prompt: header, continue_final_message: continues } = fields;
  const variables = fields.chat_template_kwargs ?? {};
  const rendering: Rendering = { tools, variables };
  const answered = messages.at(-1)?.role === 'assistant';
  if (continues && header) {
    throw invalid(
      'continue_final_message',
      'add_generation_prompt starts a new turn, and continue_final_message continues the last. Set only one',
    );
  }
  if (continues && !answered) {
    throw invalid('continue_final_message', 'the last message is not the assistant’s');
  }
  // A new turn after an answer, or no turn at all: the template alone says what that is.
  if (header === false ? !continues : answered && !continues) {
    const text = tokenizer.chatTemplate!.render(messages, {
      ...{ tools, variables, addGenerationPrompt: header !== false },
    });
    return { tokens: tokenizer.encode(text), opened: '' };
  }
  const { text, opened, lost } = openedPrompt({ tokenizer, messages, rendering });
  const { roles } = lostParts(lost);
  if (roles.length > 0) {
    throw invalid(
      'messages',
      `The chat template drops a part of the messages: ${roles.map((role) => `${role} message`).join('; ')}`,
    );
  }
  return { tokens: tokenizer.encode(text), opened: answerOpening(opened) };
}
