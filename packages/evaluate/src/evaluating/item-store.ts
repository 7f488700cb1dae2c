// Outcomes of items on disk, written as soon as they are known: an interrupted evaluation resumes,
// and the same one again costs nothing.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { appendWhole, exactJson, writeFileAtomic } from '@keel/align/internal';
import type { Item, Outcome, Task } from '../tasks/task.ts';

/** Changes when outcomes are computed or written in another way. */
const FORMAT = 2;

/** What a row is asked, as a hash: rows with the same key have the same outcome. */
export const itemKey = ({ request, doc }: Item): string =>
  sha256(exactJson([doc.id, request])).slice(0, 32);

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** All that an outcome depends on, besides the row. */
export function taskIdentity(
  { type, config, metrics, filters, identity = '' }: Task,
  subject: string,
): string {
  const { limit: _, data: __, name: ___, description: ____, ...settings } = config;
  return sha256(exactJson([FORMAT, type, settings, metrics, filters, identity, subject]));
}

/** The outcomes of one task under one model. */
export class ItemStore {
  readonly #path: string;
  readonly #found = new Map<string, Outcome>();

  /** Opens a file of the same identity, or starts a new one. */
  constructor(path: string, identity: string) {
    this.#path = path;
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    const header = parsed(lines[0]);
    if (header?.identity !== identity) {
      writeFileAtomic(path, `${JSON.stringify({ identity })}\n`);
      return;
    }
    // The last line may be incomplete, after a power cut.
    const whole = lines.slice(0, -1);
    for (const line of whole.slice(1)) {
      const one = parsed(line);
      if (one !== null) this.#found.set(one.key as string, one.outcome as Outcome);
    }
    if (lines.at(-1) !== '') writeFileAtomic(path, whole.map((line) => `${line}\n`).join(''));
  }

  get(key: string): Outcome | undefined {
    return this.#found.get(key);
  }

  add(key: string, outcome: Outcome): void {
    this.#found.set(key, outcome);
    appendWhole(this.#path, `${JSON.stringify({ key, outcome })}\n`);
  }
}

function parsed(line: string | undefined): Record<string, unknown> | null {
  try {
    return JSON.parse(line ?? '') as Record<string, unknown>;
  } catch {
    return null;
  }
}
