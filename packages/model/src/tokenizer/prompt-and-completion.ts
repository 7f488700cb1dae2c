import {
  type ChatMessage,
  type ChatTemplate,
  checkMessages,
  type RenderOptions,
} from './chat-template.ts';
import { ChatTemplateError } from './chat-template-error.ts';

export interface PromptAndCompletion {
  prompt: string;
  completion: string;
}

/**
 * Renders a conversation in two parts whose border is exact, as TRL does: the prompt ends with what begins the
 * assistant's turn (or after the last words, where the prompt ends with an assistant's message to be continued), the
 * completion is all that follows.
 *
 * @throws ChatTemplateError where the template renders the prompt otherwise once the completion follows it, so that
 * no border exists.
 */
export const renderPromptAndCompletion = (
  template: ChatTemplate,
  promptMessages: readonly ChatMessage[],
  completionMessages: readonly ChatMessage[],
  options: Pick<RenderOptions, 'tools' | 'variables'> = {},
): PromptAndCompletion => {
  checkMessages(promptMessages);
  checkMessages(completionMessages);
  const { role } = promptMessages.at(-1)!;
  const answersNext = role === 'user' || role === 'tool';
  if (!answersNext && role !== 'assistant') {
    throw new ChatTemplateError(
      `A prompt must end with a message of user or tool, or of the assistant to be continued; it ends with ${role}`,
    );
  }
  const prompt = template.render(promptMessages, {
    ...options,
    addGenerationPrompt: answersNext,
    continueFinalMessage: !answersNext,
  });
  const whole = template.render([...promptMessages, ...completionMessages], options);
  if (!whole.startsWith(prompt)) {
    throw new ChatTemplateError(
      'The chat template renders the prompt otherwise once its completion follows, so that their border is lost.\n' +
        `The prompt alone:\n${prompt}\nWith its completion:\n${whole}`,
    );
  }
  return { prompt, completion: whole.slice(prompt.length) };
};
