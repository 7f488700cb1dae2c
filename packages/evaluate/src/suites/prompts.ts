// Prompts of a suite's tasks: texts, or chats in the model's template.

import { DataError } from '@keel/align';
import { type Content, type Message, parseRow, type Rendering } from '@keel/align/data';
import { openedPrompt, promptTokens } from '@keel/align/internal';
import type { Tokenizer } from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import type { Reader } from '../rows/doc-text.ts';
import type { Doc } from '../rows/docs.ts';
import type { RenderedPrompt } from '../tasks/generation.ts';

/** A prompt before a model's template renders it. */
export interface Prompt {
  content: Content;
  system: string | null;
  /** Whether it is a chat; null: if the model has a chat template. */
  chat: boolean | null;
  /** The row's tools and template variables. */
  rendering?: Rendering | undefined;
}

/** The prompt of a row: a text, or a list of messages. @throws DataError for anything else */
export function contentOf(reader: Reader, doc: Doc): Content {
  const value = reader.read(doc);
  if (typeof value === 'string') return value;
  const messages =
    Array.isArray(value) && value.length > 0 && value.every(isMessage)
      ? (value as Message[])
      : null;
  if (messages !== null) return messages;
  throw new DataError({
    ...doc.place,
    field: 'prompt',
    expected: 'a text or a list of messages with role and content',
    found: exactJson(value) ?? 'nothing',
  });
}

const isMessage = (value: unknown): boolean => {
  const { role, content } = (value ?? {}) as Record<string, unknown>;
  return typeof role === 'string' && typeof content === 'string';
};

/**
 * The tools and template variables of a row.
 * @throws DataError for invalid ones
 */
export function renderingOf({ row, place }: Doc): Rendering | undefined {
  const { tools, chat_template_kwargs } = row;
  const prompt = [{ role: 'user', content: 'Any.' }];
  return parseRow('prompt', { prompt, tools, chat_template_kwargs }, place).rendering;
}

/**
 * What a model is asked, as its judge sees it too: text that is continued, or the messages of a
 * chat.
 * @throws Error for a chat if the model has no chat template
 */
export function askedContent(
  { content, system, chat, rendering }: Prompt,
  tokenizer: Tokenizer,
): Content {
  const template = tokenizer.chatTemplate !== null;
  if (typeof content === 'string' && !(chat ?? template)) {
    if (rendering !== undefined) {
      throw new Error(
        'the rows have tools or chat_template_kwargs, which only a chat template can use. Remove the columns, or set chat: true in the suite',
      );
    }
    return system === null ? content : `${system}\n\n${content}`;
  }
  if (!template) {
    throw new Error(
      'the prompts are chats, but the model has no chat template. Pass --chat-template, or set chat: false in the suite',
    );
  }
  const turns = typeof content === 'string' ? [{ role: 'user', content }] : content;
  return system === null ? turns : [{ role: 'system', content: system }, ...turns];
}

/** @throws Error as {@link askedContent} */
export function renderPrompt(prompt: Prompt, tokenizer: Tokenizer): RenderedPrompt {
  const asked = askedContent(prompt, tokenizer);
  if (typeof asked === 'string') {
    return {
      tokens: tokenizer.encode(asked, { addSpecialTokens: true }),
      ...{ text: asked, opened: '', cuttable: true },
    };
  }
  const { rendering } = prompt;
  const { text, opened } = openedPrompt({ tokenizer, messages: asked, rendering });
  const tokens = promptTokens(asked, tokenizer, { rendering });
  return { tokens, text, opened, cuttable: false };
}
