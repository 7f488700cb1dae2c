// Rows with a prompt and a generated answer, for other verbs: score, sft, judges.
import { asRead, type Content, isChat, type Message, renderingColumns } from '@keel/align/data';
import { answerOpening, carriedColumns, openedPrompt, withSystem } from '@keel/align/internal';
import type { GenerationResult, Tokenizer } from '@keel/model';
import type { AskedForm } from './prompt-tokens.ts';
import type { AskedPrompt } from './read-prompts.ts';

/** What rows contain besides the answer. */
export interface AskedRow {
  /** As given; a chat if a system message was added, or for text that is written to a file. */
  prompt: Content;
  /** The row's other fields, and what the template was rendered with. */
  fields: Readonly<Record<string, unknown>>;
  /** Fields of the row that are not written, because they are of another answer. */
  dropped: readonly string[];
  /** What the chat template drops of the prompt. */
  lost: readonly string[];
  /** What the generation prompt opened in the answer's place, such as `<think>\n`. */
  opening: string;
}

/**
 * @param form.output the file of the rows; null: they are printed, with text of the command line as
 *   it was given
 * @throws Error as `promptTokens` does
 */
export function askedRow(
  { prompt, rendering, extra = {}, place }: AskedPrompt,
  tokenizer: Tokenizer,
  { system, raw, output }: AskedForm & { output: string | null },
): AskedRow {
  const typed = place === undefined;
  const rendered = !raw && tokenizer.chatTemplate !== null && (typed || isChat(prompt));
  const turns: Message[] = isChat(prompt) ? [...prompt] : [{ role: 'user', content: prompt }];
  const messages = withSystem(turns, system);
  const { opened, lost } = rendered
    ? openedPrompt({ tokenizer, messages, rendering })
    : { opened: '', lost: [] };
  const { columns, dropped } = carriedColumns(extra, writtenColumns);
  return {
    prompt: asRead(
      rendered && (isChat(prompt) || system !== null || output !== null) ? messages : prompt,
    ),
    fields: {
      ...columns,
      ...renderingColumns(rendering, rendered ? tokenizer.chatTemplate : null),
    },
    ...{ dropped, lost },
    opening: answerOpening(opened),
  };
}

/** Columns of {@link answerRow}. */
const writtenColumns = ['row', 'sample', 'tokens'];

/** A row with the answer in the form of its prompt. */
export function answerRow(
  { prompt, fields, opening }: AskedRow,
  { text, tokens, finishReason, promptIndex, sampleIndex }: GenerationResult,
  { fromFile, samples }: { fromFile: boolean; samples: number },
): Record<string, unknown> {
  const content = opening + text;
  return {
    ...fields,
    ...(fromFile ? { row: promptIndex } : {}),
    ...(samples > 1 ? { sample: sampleIndex } : {}),
    prompt,
    completion: isChat(prompt) ? [{ role: 'assistant', content }] : content,
    tokens: tokens.length,
    finish_reason: finishReason.replaceAll('-', '_'),
  };
}
