// Lets a model answer the prompts of a file. Answers are saved as they end, and not sampled again.
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, openModel } from '@keel/align';
import {
  asRead,
  type Content,
  isChat,
  leftOutOfPrompt,
  openRows,
  type Place,
  type PromptRow,
} from '@keel/align/data';
import { answerOpening, openedPrompt, promptFault, promptTokens } from '@keel/align/internal';
import { type GenerateOptions, generate, type LanguageModel, type Precision } from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import type { KeyedFile } from '../files/keyed-file.ts';
import type { AnswerRow } from './answer-row.ts';
import type { AnsweringSide } from './answering-side.ts';
import type { ReadingOptions } from './read-answers.ts';

/** A prompt of a file, with its place. */
export interface PlacedPrompt extends PromptRow {
  place: Place;
}

/** A line of a file of sampled answers. */
export interface SampledAnswer {
  key: string;
  row: number;
  prompt: Content;
  completion: Content;
  generator: string;
  tokens: number;
  finish_reason: string;
}

/** How answers are sampled for a judge. */
export interface SamplingSettings {
  sampling: Omit<GenerateOptions, 'adapter' | 'signal' | 'samplesPerPrompt'>;
  precision: Precision;
  device: string;
  /** Files and variables of the chat template. */
  template: {
    chatTemplate?: string | null;
    chatTemplateKwargs?: Readonly<Record<string, unknown>> | null;
    templateDate?: string | null;
  };
}

export interface SamplingHooks {
  signal?: AbortSignal | undefined;
  onProgress?(done: number, total: number): void;
}

/** @throws DataError for a file without prompts, and for a bad row unless bad rows are skipped */
export async function readPromptRows(
  files: readonly string[],
  { onBadRow = 'fail', onSkipped, columns = null, wrapChat = false }: ReadingOptions,
): Promise<PlacedPrompt[]> {
  await using rows = await openRows(files, {
    kind: 'prompt',
    refuse: leftOutOfPrompt,
    ...{ onBadRow, columns, wrapChat },
    onSkipped: (fault) => onSkipped?.(fault),
  });
  const found: PlacedPrompt[] = [];
  for await (const row of rows.iterate()) found.push({ ...row, place: rows.place(found.length) });
  return found;
}

/**
 * @param file answers that are there already; new ones are saved in it
 * @returns an answer to each prompt, in their order; null if it was interrupted
 * @throws DataError for a prompt that the model cannot continue
 */
export async function sampleAnswers(
  side: AnsweringSide,
  prompts: readonly PlacedPrompt[],
  settings: SamplingSettings,
  file: KeyedFile<SampledAnswer>,
  { signal, onProgress }: SamplingHooks = {},
): Promise<AnswerRow[] | null> {
  const about = [versionOf(side.model), side.adapter && versionOf(side.adapter), settings];
  const keys = keysOf(prompts, exactJson(about));
  const answers = new Map(
    keys.flatMap((key) => {
      const saved = file.saved.get(key);
      return saved === undefined ? [] : [[key, saved] as const];
    }),
  );
  const left = prompts.map((_, index) => index).filter((index) => !answers.has(keys[index]!));
  onProgress?.(answers.size, prompts.length);
  if (left.length > 0) {
    const { precision, device, template, sampling } = settings;
    using opened = await openModel(side.model, {
      ...template,
      adapter: side.adapter,
      precision,
      device: device as 'auto' | 'cpu',
    });
    const { model, adapter } = opened;
    const tokens = left.map((index) => tokensOf(prompts[index]!, model));
    const options = { ...sampling, adapter, ...(signal && { signal }) };
    for await (const event of generate(model, tokens, options)) {
      if (event.type !== 'done' || event.result.finishReason === 'aborted') continue;
      const { promptIndex, text, tokens: own, finishReason } = event.result;
      const index = left[promptIndex]!;
      const prompt = prompts[index]!;
      const content = openingOf(prompt, model) + text;
      const row: SampledAnswer = {
        key: keys[index]!,
        row: index,
        prompt: asRead(prompt.prompt),
        completion: isChat(prompt.prompt) ? [{ role: 'assistant', content }] : content,
        generator: side.name,
        tokens: own.length,
        finish_reason: finishReason.replaceAll('-', '_'),
      };
      file.save(row);
      answers.set(row.key, row);
      onProgress?.(answers.size, prompts.length);
    }
  }
  if (answers.size < prompts.length) return null;
  const rows = keys.map((key, index) => ({
    ...answers.get(key)!,
    row: index,
    generator: side.name,
  }));
  file.finish(rows);
  return rows.map(({ completion }, index): AnswerRow => {
    const { prompt, place, extra, rendering } = prompts[index]!;
    return {
      ...{ place, prompt, extra, ...(rendering && { rendering }) },
      answer: completion,
      model: side.name,
    };
  });
}

/** What an answer depends on; the same prompt has a key of its own at each occurrence. */
function keysOf(prompts: readonly PlacedPrompt[], about: string): string[] {
  const seen = new Map<string, number>();
  return prompts.map(({ prompt, rendering = null }) => {
    const text = exactJson([about, prompt, rendering]);
    const occurrence = seen.get(text) ?? 0;
    seen.set(text, occurrence + 1);
    return createHash('sha256').update(`${text} ${occurrence}`).digest('hex');
  });
}

/** Changes when the files of a model or an adapter change. */
function versionOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return path;
  const files = found.isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path];
  const stats = files.sort().map((name) => {
    const { size, mtimeMs } = statSync(name);
    return `${name} ${size} ${mtimeMs}`;
  });
  return stats.join('\n');
}

/** As `keel generate` reads rows: plain text is continued, a chat is rendered. */
function tokensOf({ prompt, rendering, place }: PlacedPrompt, model: LanguageModel): number[] {
  const form = isChat(prompt) ? { rendering } : { raw: true };
  const tokens = promptTokens(prompt, model.tokenizer, form);
  const fault = promptFault(tokens, model.tokenizer, model.decoder.config);
  if (fault !== null) throw new DataError({ ...place, ...fault });
  return tokens;
}

/** What the generation prompt opened in the answer's place, such as `<think>\n`. */
function openingOf({ prompt, rendering }: PlacedPrompt, { tokenizer }: LanguageModel): string {
  if (!isChat(prompt) || tokenizer.chatTemplate === null) return '';
  return answerOpening(openedPrompt({ tokenizer, messages: prompt, rendering }).opened);
}
