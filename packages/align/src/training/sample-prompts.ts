// The prompts that a run answers before, during and after training: rows of the run, or those of a
// file.
import { readFileSync } from 'node:fs';
import { fileError, type Tokenizer } from '@keel/model';
import { tokenisePrompt } from '../batching/tokenise-prompt.ts';
import type { SampleOptions } from '../config/following-options.ts';
import type { RowReading } from '../config/row-options.ts';
import type { Content } from '../data/messages.ts';
import { openRows } from '../data/open-rows.ts';
import type { PromptRow, RowKind, RowOf } from '../data/rows.ts';
import type { RunData } from './run-data.ts';

export interface SamplePrompt {
  prompt: Content;
  tokens: number[];
}

/** Prompts before they are tokenised: more than needed, because some may be too long. */
export interface FoundPrompts {
  rows: PromptRow[];
  /** Most prompts to answer. */
  count: number;
  /** From a text file: a user's messages, where the model has a chat template. */
  plain: boolean;
}

/** Rows to read for each prompt, because some may be equal or too long. */
const SPARE = 4;

/**
 * Reads the prompts that --sample-prompts names.
 * @returns null if there are none to answer
 * @throws DataError, FileError, Error if the file cannot be read or has no prompts
 */
export async function findSamplePrompts<K extends RowKind>(
  { samplePrompts = null, columns, wrapChat }: Partial<SampleOptions> & RowReading,
  data: RunData<K>,
): Promise<FoundPrompts | null> {
  if (samplePrompts === null) return null;
  if (typeof samplePrompts === 'string') return promptsIn(samplePrompts, { columns, wrapChat });
  const source = data.heldOut ?? data.rows;
  const rows = await source.readMany(spread(source.length, samplePrompts * SPARE));
  const prompts = rows.flatMap((row) => promptOf(row) ?? []);
  return { rows: prompts, count: samplePrompts, plain: false };
}

async function promptsIn(path: string, reading: RowReading): Promise<FoundPrompts> {
  const rows: PromptRow[] = [];
  const plain = path.endsWith('.txt');
  if (plain) {
    const lines = readLines(path).filter((line) => line.trim() !== '');
    rows.push(...lines.map((prompt) => ({ prompt, extra: {} })));
  } else {
    await using source = await openRows(path, { ...reading, kind: 'prompt' });
    for await (const row of source.iterate()) rows.push(row);
  }
  if (rows.length === 0) {
    throw new Error(`--sample-prompts: ${path} has no prompts. Add some, or pass a number or none`);
  }
  return { rows, count: rows.length, plain };
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/);
  } catch (error) {
    throw fileError(error, { path, use: 'read' });
  }
}

/** Places of `count` rows over the whole file: first every SPARE-th, then those between. */
function spread(length: number, count: number): number[] {
  const places = Array.from({ length: Math.min(count, length) }, (_, i) =>
    Math.floor((i * length) / Math.min(count, length)),
  );
  const first = places.filter((_, i) => i % SPARE === 0);
  return [...first, ...places.filter((_, i) => i % SPARE !== 0)];
}

/** The start of a text, which the model continues. */
const TEXT_START = 100;

/** A row's prompt; null if it has none. */
function promptOf(row: RowOf[RowKind]): PromptRow | null {
  const rendering = row.rendering && { rendering: row.rendering };
  if ('prompt' in row) {
    if (row.prompt === '') return null;
    return { prompt: row.prompt as Content, extra: {}, ...rendering };
  }
  if ('messages' in row) {
    const last = row.messages.findLastIndex(({ role }) => role === 'assistant');
    return last > 0 ? { prompt: row.messages.slice(0, last), extra: {}, ...rendering } : null;
  }
  const start = /^.{0,100}(?=\s)/su.exec(row.text)?.[0] ?? row.text.slice(0, TEXT_START);
  return start.trim() === '' ? null : { prompt: start, extra: {} };
}

/**
 * The first different prompts that leave room for an answer.
 * @param room maximum tokens of a prompt
 */
export function tokeniseSamples(
  { rows, count, plain }: FoundPrompts,
  tokenizer: Tokenizer,
  room: number,
): SamplePrompt[] {
  const found = new Map<string, SamplePrompt>();
  const asChat = plain && tokenizer.chatTemplate !== null;
  for (const row of rows) {
    if (found.size === count) break;
    const asked = asChat
      ? { ...row, prompt: [{ role: 'user', content: row.prompt as string }] }
      : row;
    const tokenised = tokeniseOne(asked, tokenizer, room);
    if (tokenised === null || tokenised.tokens.length === 0) continue;
    const { tokens, prompt } = tokenised;
    const key = tokens.join(' ');
    if (!found.has(key)) found.set(key, { prompt, tokens });
  }
  return [...found.values()];
}

/** null for a row that does not fit or that the chat template rejects; training reports it. */
function tokeniseOne(row: PromptRow, tokenizer: Tokenizer, room: number) {
  try {
    return tokenisePrompt(row, tokenizer, { maxPromptLength: room });
  } catch {
    return null;
  }
}
