import { appendFileSync } from 'node:fs';
import type { Message } from '@keel/align/data';
import { fileError } from '@keel/model/without-torch';

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

  /** Number of complete user-assistant exchanges. */
  get exchanges(): number {
    return this.#turns.filter(({ role }) => role === 'assistant').length;
  }

  ask(content: string): void {
    this.#turns.push({ role: 'user', content });
  }

  answer(content: string): void {
    this.#turns.push({ role: 'assistant', content });
  }

  /** Starts over with the same system message. */
  reset(): void {
    this.#turns = [];
  }

  /** Sets the system message and starts over. */
  setSystem(system: string | null): void {
    this.#system = system;
    this.reset();
  }

  /** Removes the last question and its answer. @returns the question; null if there is none */
  undo(): string | null {
    const last = this.#turns.findLastIndex(({ role }) => role === 'user');
    if (last < 0) return null;
    const [question] = this.#turns.splice(last);
    return question!.content ?? '';
  }

  /**
   * Appends the conversation to a JSONL file, as a row with `messages`.
   * @throws FileError if the file cannot be written
   */
  save(path: string): void {
    try {
      appendFileSync(path, `${JSON.stringify({ messages: this.messages })}\n`);
    } catch (error) {
      throw fileError(error, { path, use: 'written' });
    }
  }
}
