import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { exactJson } from '@keel/align/internal';
import { fileError, type GenerationEvent, type GenerationResult, makeFolder } from '@keel/model';
import { type AskedRow, answerRow } from './answer-rows.ts';
import type { DisplayParts, GenerationDisplay } from './generation-display.ts';
import { InOrder } from './in-order.ts';

/**
 * Writes answers as rows of a JSONL file, in the order of the prompts, each as soon as those before
 * it are written. An interrupted command leaves whole rows.
 */
export class AnswerFile implements GenerationDisplay, Disposable {
  readonly path: string;
  /** Rows in the file. */
  rows = 0;
  /** Empty answers, which no verb accepts and the file does not have. */
  empty = 0;
  readonly #asked: readonly AskedRow[];
  readonly #parts: DisplayParts;
  readonly #descriptor: number;
  readonly #ordered = new InOrder<GenerationResult>((result) => this.#write(result));

  /** @throws Error if the file exists and is not to be replaced; FileError if it cannot be made */
  constructor(path: string, asked: readonly AskedRow[], parts: DisplayParts, overwrite: boolean) {
    refuseExisting(path, overwrite);
    this.path = path;
    this.#asked = asked;
    this.#parts = parts;
    try {
      makeFolder(dirname(path));
      this.#descriptor = openSync(path, 'w');
    } catch (error) {
      throw fileError(error, { path, use: 'written' });
    }
  }

  event(event: GenerationEvent): void {
    if (event.type !== 'done') return;
    const place = event.promptIndex * this.#parts.samples + event.sampleIndex;
    this.#ordered.add(place, event.result);
  }

  /** Writes the answers that finished before earlier ones did. */
  flush(): void {
    this.#ordered.rest();
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #write(result: GenerationResult): void {
    if (result.finishReason === 'aborted') return;
    if (result.text === '') {
      this.empty += 1;
      return;
    }
    const row = answerRow(this.#asked[result.promptIndex]!, result, this.#parts);
    const line = Buffer.from(`${exactJson(row)}\n`);
    try {
      for (let done = 0; done < line.length; ) done += writeSync(this.#descriptor, line, done);
    } catch (error) {
      throw fileError(error, { path: this.path, use: 'written' });
    }
    this.rows += 1;
  }
}

/** @throws Error if the file exists and is not to be replaced */
export function refuseExisting(path: string, overwrite: boolean): void {
  if (overwrite || !existsSync(path)) return;
  throw new Error(`${path}: exists already. Pass --overwrite to replace it, or another --output`);
}
