import { appendFileSync } from 'node:fs';
import { type Message, renderingColumns } from '@keel/align/data';
import { exactJson } from '@keel/model/exact-json';
import { fileError } from '@keel/model/without-torch';

/** A conversation: an optional system message and turns of user and assistant. */
export class Conversation {
  #system: string | null;
  #turns: Message[] = [];
  /** Answers that were stopped or reached the maximum length. */
  readonly #cutOff = new WeakSet<Message>();
  /** A special token of each answer whose text leaves one out. */
  readonly #hidden = new WeakMap<Message, string>();
  /** Columns of a row of this conversation: what the template is rendered with. */
  readonly columns: ReturnType<typeof renderingColumns>;

  constructor(
    system: string | null = null,
    template: Parameters<typeof renderingColumns>[1] = null,
  ) {
    this.#system = system;
    this.columns = renderingColumns(undefined, template);
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

  /**
   * @param ended whether the model ended it itself
   * @param hidden a special token that the text leaves out; null: none
   */
  answer(
    content: string,
    { ended, hidden = null }: { ended: boolean; hidden?: string | null },
  ): void {
    const turn: Message = { role: 'assistant', content };
    this.#turns.push(turn);
    if (!ended) this.#cutOff.add(turn);
    if (hidden !== null) this.#hidden.set(turn, hidden);
  }

  /** A special token that the text of one of these answers leaves out; null if there is none. */
  hiddenIn(turns: readonly Message[] = this.#turns): string | null {
    return turns.flatMap((turn) => this.#hidden.get(turn) ?? [])[0] ?? null;
  }

  /** Whether an answer was stopped or reached the maximum length. */
  isCutOff(answer: Message): boolean {
    return this.#cutOff.has(answer);
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
   * Appends the conversation to a JSONL file, as a row with `messages`. Answers that were cut off
   * are marked as not to be trained on, because training would end them.
   * @throws FileError if the file cannot be written
   */
  save(path: string): void {
    try {
      const messages = this.messages.map((turn) =>
        this.isCutOff(turn) ? { ...turn, weight: 0 } : turn,
      );
      appendFileSync(path, `${exactJson({ messages, ...this.columns })}\n`);
    } catch (error) {
      throw fileError(error, { path, use: 'written' });
    }
  }
}
