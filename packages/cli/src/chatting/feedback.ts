import { existsSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Message } from '@keel/align/data';
import { appendWhole, hiddenNotice } from '@keel/align/internal';
import { makeFolder } from '@keel/model';
import { exactJson } from '@keel/model/exact-json';
import type { Conversation } from './conversation.ts';

/** A rating that this chat wrote: its row, and where it is in the file. */
interface Rating {
  row: FeedbackRow;
  start: number;
  end: number;
}

interface FeedbackRow {
  prompt: Message[];
  completion: Message[];
  label: boolean;
  chat_template_kwargs?: Record<string, unknown>;
  /** `length` for an answer that was stopped or reached the maximum length. */
  finish_reason?: string;
}

/** Writes ratings of answers to a JSONL file, as rows for `keel kto`. */
export class Feedback {
  readonly path: string;
  #last: Rating | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Rates the last answer. A rating of the same answer is replaced.
   * @returns what was done, for the user
   */
  rate(conversation: Conversation, label: boolean): string {
    const { messages } = conversation;
    const answer = messages.at(-1);
    if (answer?.role !== 'assistant') return 'There is no answer to rate yet.';
    const cut = conversation.isCutOff(answer);
    const row = {
      ...{ prompt: messages.slice(0, -1), completion: [answer], label, ...conversation.columns },
      ...(cut && { finish_reason: 'length' }),
    };
    const word = label ? 'good' : 'bad';
    try {
      const before = this.#ratingOf(row);
      if (before?.row.label === label) return `This answer is already rated ${word}.`;
      if (before !== null && !this.#takeBack(before)) {
        return `Not changed: other rows follow the rating in ${this.path}. Edit the file`;
      }
      this.#append(row);
      const note = cut
        ? '. It was cut off, so training refuses this row, or skips it with --on-bad-row skip'
        : '';
      const hidden = conversation.hiddenIn([answer]);
      const lost = hidden === null ? '' : `. Note: ${hiddenNotice(hidden)}`;
      return `Rated ${word}: added to ${this.path}${note}${lost}`;
    } catch (error) {
      return `Not saved: ${(error as Error).message}`;
    }
  }

  /** Removes the rating of the last answer, if it is the file's last row. */
  undo(conversation: Conversation): string | null {
    const { messages } = conversation;
    const answer = messages.at(-1);
    if (answer === undefined) return null;
    const row = { prompt: messages.slice(0, -1), completion: [answer], label: true };
    const before = this.#ratingOf(row);
    return before !== null && this.#takeBack(before)
      ? `Removed its rating from ${this.path}`
      : null;
  }

  #ratingOf({ prompt, completion }: FeedbackRow): Rating | null {
    const last = this.#last;
    if (last === null) return null;
    const { row } = last;
    return isDeepStrictEqual([row.prompt, row.completion], [prompt, completion]) ? last : null;
  }

  /** @returns whether the row was the last one of the file */
  #takeBack({ row, start, end }: Rating): boolean {
    if (statSync(this.path, { throwIfNoEntry: false })?.size !== end) return false;
    const written = readFileSync(this.path).subarray(start, end).toString('utf8');
    if (written !== line(row)) return false;
    truncateSync(this.path, start);
    this.#last = null;
    return true;
  }

  #append(row: FeedbackRow): void {
    makeFolder(dirname(this.path));
    // A file that was edited by hand may not end with a newline.
    const size = statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
    const cut = size > 0 && existsSync(this.path) && readFileSync(this.path).at(-1) !== 10;
    appendWhole(this.path, (cut ? '\n' : '') + line(row));
    const start = size + (cut ? 1 : 0);
    this.#last = { row, start, end: start + Buffer.byteLength(line(row)) };
  }
}

const line = (row: FeedbackRow): string => `${exactJson(row)}\n`;
