// A model's answers for programs: the next turn of a chat, or the continuation of a text.
import { type GenerateOptions, generate, type LanguageModel } from '@keel/model';
import { promptFault } from '../batching/prompt-fault.ts';
import { isChat, type Message } from '../data/messages.ts';
import type { OpenedModel } from './open-model.ts';
import { turnPrompt } from './prompt-tokens.ts';

/** How an answer is sampled. */
export type AnswerOptions = Omit<GenerateOptions, 'adapter' | 'samplesPerPrompt' | 'batchSize'> & {
  /** Name of an adapter of the model (default: the one that it was opened with). */
  adapter?: string | null;
};

/** A model that is in memory. */
export type AnsweringModel = LanguageModel | OpenedModel;

/**
 * The model's next turn in a chat.
 * @param messages a list of messages, or the text of a single user's message
 * @returns the text of the assistant's message
 * @throws Error if the model has no chat template, or the chat is longer than the model takes;
 *   ChatTemplateError if the template rejects the messages; RangeError for an option out of range
 */
export async function chat(
  model: AnsweringModel,
  messages: string | readonly Message[],
  options: AnswerOptions = {},
): Promise<string> {
  return joined(streamChat(model, messages, options));
}

/** {@link chat}, piece by piece as the model writes. */
export async function* streamChat(
  model: AnsweringModel,
  messages: string | readonly Message[],
  options: AnswerOptions = {},
): AsyncGenerator<string, void, void> {
  const { model: language } = parts(model);
  if (language.tokenizer.chatTemplate === null) {
    throw new Error(
      `${language.name} has no chat template. Open it with \`chatTemplate\`, or use \`complete\``,
    );
  }
  const asked: readonly Message[] = isChat(messages as string)
    ? (messages as readonly Message[])
    : [{ role: 'user', content: messages as string }];
  const { tokens, opened } = turnPrompt(language, asked);
  if (opened !== '') yield opened;
  yield* continued(model, tokens, options);
}

/**
 * The model's continuation of a text, without a chat template.
 * @throws Error for an empty text, or one that is longer than the model takes; RangeError for an
 *   option out of range
 */
export async function complete(
  model: AnsweringModel,
  prompt: string,
  options: AnswerOptions = {},
): Promise<string> {
  return joined(streamComplete(model, prompt, options));
}

/** {@link complete}, piece by piece as the model writes. */
export async function* streamComplete(
  model: AnsweringModel,
  prompt: string,
  options: AnswerOptions = {},
): AsyncGenerator<string, void, void> {
  const { tokenizer } = parts(model).model;
  yield* continued(model, tokenizer.encode(prompt, { addSpecialTokens: true }), options);
}

async function* continued(
  opened: AnsweringModel,
  tokens: readonly number[],
  options: AnswerOptions,
): AsyncGenerator<string, void, void> {
  const { model, adapter } = parts(opened);
  const fault = promptFault(tokens, model.tokenizer, model.decoder.config);
  if (fault !== null) {
    throw new Error(`expected ${fault.expected}, found ${fault.found}. ${fault.advice}`);
  }
  for await (const { text } of generate(model, [tokens], { adapter, ...options })) {
    if (text !== '') yield text;
  }
}

function parts(model: AnsweringModel): { model: LanguageModel; adapter: string | null } {
  return 'model' in model ? model : { model, adapter: null };
}

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}
