import { answerConstraint, hiddenToken, turnPrompt } from '@keel/align/internal';
import { type Constraint, type GenerateOptions, generate, type LanguageModel } from '@keel/model';
import type { Conversation } from './conversation.ts';

/**
 * Generates the model's next turn and shows it as it is written. If the signal stops it, the text
 * so far becomes the turn; if there is none yet, the question is removed.
 * @param options.limit what the turn must match; null: anything
 */
export async function answer(
  model: LanguageModel,
  conversation: Conversation,
  {
    limit = null,
    ...options
  }: GenerateOptions & { signal: AbortSignal; limit?: Constraint | null },
  write: (text: string) => void,
): Promise<void> {
  let [text, opened, ended, hidden] = ['', '', false, null as string | null];
  try {
    const turn = turnPrompt(model, conversation.messages);
    opened = turn.opened;
    const constraint = limit && (await answerConstraint(model, limit, turn.tokens));
    for await (const event of generate(model, [turn.tokens], { ...options, constraint })) {
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
