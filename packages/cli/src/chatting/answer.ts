import { answerOpening, openedPrompt } from '@keel/align';
import { type GenerateOptions, generate, type LanguageModel } from '@keel/model';
import { promptTokens } from '../generating/prompt-tokens.ts';
import type { Conversation } from './conversation.ts';

/**
 * The model's next turn, shown as it is written. What stands when the signal stops it is the turn;
 * where nothing stands yet, the question is taken back.
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
