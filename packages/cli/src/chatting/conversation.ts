import { appendFileSync } from 'node:fs';
import type { Message } from '@keel/align';
import { fileError } from '../torch-free/file-error.ts';

/** A conversation: an optional system message and turns of user and assistant. */
export class Conversation {
  #system: string | null;
  #turns: Message[] = [];

  constructor(system: string | null = null) {
    this.#system = system;
  }

  get messages(): Message[] {
    const system = this.#system === null ? [] : [{ role: 'system', content: this.#system }];
    return [...system, ...this.#turns];
  }

  /** Whole exchanges of user and assistant. */
  get exchanges(): number {
    return this.#turns.filter(({ role }) => role === 'assistant').length;
  }

  ask(content: string): void {
    this.#turns.push({ role: 'user', content });
  }

  answer(content: string): void {
    this.#turns.push({ role: 'assistant', content });
  }

  /** Begins anew; the system message stays. */
  reset(): void {
    this.#turns = [];
  }

  /** Another system message, and a new conversation under it. */
  setSystem(system: string | null): void {
    this.#system = system;
    this.reset();
  }

  /**
   * Takes the last question and its answer back. @returns the question, null where there is none
   */
  undo(): string | null {
    const last = this.#turns.findLastIndex(({ role }) => role === 'user');
    if (last < 0) return null;
    const [question] = this.#turns.splice(last);
    return question!.content ?? '';
  }

  /**
   * Adds the conversation to a JSONL file, as a row that `messages` data has.
   * @throws FileError when the file system refuses
   */
  save(path: string): void {
    try {
      appendFileSync(path, `${JSON.stringify({ messages: this.messages })}\n`);
    } catch (error) {
      throw fileError(error, { path, use: 'written' });
    }
  }
}
