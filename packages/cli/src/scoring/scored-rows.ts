import { DataError } from '@keel/align';
import { RowFaults } from '@keel/align/data';
import { unknownToken } from '@keel/align/internal';
import type { LanguageModel } from '@keel/model';
import type { ScoreOptions } from '../options/score.ts';
import { droppedText } from './dropped-text.ts';
import type { AnswerSource } from './open-answers.ts';
import { type TokenisedRow, tokeniseAnswers } from './tokenise-answers.ts';

/** Rows that are read, grouped by length and scored together. */
const CHUNK = 256;

/** Tokenises rows; bad ones are an error or are skipped. */
export class ScoredRows {
  readonly faults: RowFaults;
  /** Rows of whose answers the chat template drops text, with its fields. */
  readonly #lost = new Map<number, readonly string[]>();
  readonly #source: AnswerSource;
  readonly #model: LanguageModel;
  readonly #maxLength: number | null;
  readonly #onBadRow: ScoreOptions['onBadRow'];

  constructor(source: AnswerSource, model: LanguageModel, { onBadRow, maxLength }: ScoreOptions) {
    this.faults = new RowFaults(onBadRow);
    this.#source = source;
    this.#model = model;
    this.#maxLength = maxLength;
    this.#onBadRow = onBadRow;
  }

  /**
   * Checks every row, so that a bad one is reported before the first score is printed.
   * @throws DataError like {@link tokenise}
   */
  async check(): Promise<void> {
    for (let index = 0; index < this.#source.length; index++) await this.tokenise([index]);
  }

  /**
   * Tokenises the rows in chunks.
   * @returns for each chunk the index of its first row, and what {@link tokenise} gives
   * @throws DataError for a bad row, unless bad rows are skipped; before the first chunk
   */
  async *chunks(): AsyncIterable<{
    start: number;
    rows: (TokenisedRow | null | undefined)[];
  }> {
    const { length } = this.#source;
    if (this.#onBadRow === 'fail') await this.check();
    for (let start = 0; start < length; start += CHUNK) {
      const count = Math.min(CHUNK, length - start);
      const indices = Array.from({ length: count }, (_, place) => start + place);
      yield { start, rows: await this.tokenise(indices) };
    }
  }

  /** @throws Error if every row was bad */
  refuseEmpty(): void {
    if (this.faults.count < this.#source.length) return;
    throw new Error('--data: every row is bad, so there is nothing to score');
  }

  /** Notices about rows that were skipped, and about text that the chat template drops. */
  notices(): string[] {
    return [this.faults.notice(), this.lostNotice()].filter((text) => text !== null);
  }

  /** A notice about text that the chat template drops; null if it writes all text. */
  lostNotice(): string | null {
    if (this.#lost.size === 0) return null;
    const what = droppedText([...new Set([...this.#lost.values()].flat())]);
    return (
      `${this.#lost.size} of ${this.#source.length} rows: the chat template drops ${what}, ` +
      'so only the rest is scored. To see the remaining text, run keel tokens'
    );
  }

  /**
   * @returns each row's tokens; null if it does not fit, undefined if it is bad and skipped
   * @throws DataError for a bad row, unless bad rows are skipped
   */
  async tokenise(indices: readonly number[]): Promise<(TokenisedRow | null | undefined)[]> {
    const { tokenizer, decoder } = this.#model;
    const { vocabularySize } = decoder.config;
    return (await this.#source.readMany(indices)).map((read, at) => {
      const place = this.#source.place(indices[at]!);
      return this.faults.take(place, () => {
        const row = tokeniseAnswers(read, tokenizer, this.#maxLength);
        if (row === null) return null;
        if (row.lost) this.#lost.set(indices[at]!, row.lost);
        const sequences = [row.prompt, ...row.answers.map(({ answer }) => answer.tokens)];
        const fault = unknownToken(sequences, tokenizer, vocabularySize);
        if (fault !== null) throw new DataError({ ...place, ...fault });
        return row;
      });
    });
  }
}
