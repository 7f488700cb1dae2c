// Rows of supervised fine-tuning for the tiny chat model.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Message } from '../data/messages.ts';
import type { SupervisedRow } from '../data/rows.ts';
import { tinyRows } from './tiny-chat-model.ts';

/** Reproducible rows of uneven length: chats, completions of both forms, and text. */
export function tinyExamples(count: number, seed = 7): SupervisedRow[] {
  return tinyRows(count, seed).map(({ prompt, chosen, rejected }, at): SupervisedRow => {
    if (typeof prompt === 'string') {
      return at % 4 === 1
        ? { text: `${prompt} ${rejected}`, extra: {} }
        : { prompt, completion: chosen, extra: {} };
    }
    const [asked, answer, other] = [prompt, chosen, rejected] as [Message[], Message[], Message[]];
    return at % 4 === 0
      ? { messages: [...asked, ...answer, ...asked, ...other], extra: {} }
      : { prompt: asked, completion: answer, extra: {} };
  });
}

/** Writes rows as JSONL. @returns the path */
export function writeExamples(folder: string, rows: readonly SupervisedRow[]): string {
  const path = join(folder, 'examples.jsonl');
  writeFileSync(path, rows.map(({ extra: _, ...row }) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}
