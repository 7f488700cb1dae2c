import { hiddenToken, turnPrompt } from '@keel/align/internal';
import { type GenerateOptions, generate, type LanguageModel } from '@keel/model';
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
  let [text, opened, ended, hidden] = ['', '', false, null as string | null];
  try {
    const turn = turnPrompt(model, conversation.messages);
    opened = turn.opened;
    for await (const event of generate(model, [turn.tokens], options)) {
      text += event.text;
      write(event.text);
      if (event.type === 'done') {
        const { finishReason, tokens } = event.result;
        hidden = hiddenToken(tokens, model.tokenizer);
        ended = finishReason !== 'length' && finishReason !== 'aborted';
      }
    }
  } catch (error) {
    conversation.undo();
    throw error;
  }
  write('\n');
  if (text === '' && options.signal.aborted) conversation.undo();
  else conversation.answer(opened + text, { ended, hidden });
}
