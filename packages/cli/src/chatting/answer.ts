import { answerOpening, openedPrompt } from '@keel/align/internal';
import { type GenerateOptions, generate, type LanguageModel } from '@keel/model';
import { promptTokens } from '../generating/prompt-tokens.ts';
import type { Conversation } from './conversation.ts';

/**
 * Generates the model's next turn and shows it as it is written. If the signal stops it, the text
 * so far becomes the turn; if there is none yet, the question is removed.
 */
export async function answer(
  model: LanguageModel,
  conversation: Conversation,
  options: GenerateOptions & { signal: AbortSignal },
  write: (text: string) => void,
): Promise<void> {
  const { tokenizer } = model;
  let [text, opened] = ['', ''];
  try {
    const { messages } = conversation;
    opened = answerOpening(openedPrompt({ tokenizer, messages, rendering: undefined }).opened);
    const tokens = promptTokens({ prompt: messages }, tokenizer, {
      system: null,
      raw: false,
    });
    for await (const event of generate(model, [tokens], options)) {
      text += event.text;
      write(event.text);
    }
  } catch (error) {
    conversation.undo();
    throw error;
  }
  write('\n');
  if (text === '' && options.signal.aborted) conversation.undo();
  else conversation.answer(opened + text);
}
