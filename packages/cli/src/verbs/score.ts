import { DataError } from '@keel/align';
import { RowFaults } from '@keel/align/data';
import { modelFacts, unknownToken } from '@keel/align/internal';
import type { LanguageModel } from '@keel/model';
import { openModel } from '../open-model.ts';
import type { ScoreOptions } from '../options/score.ts';
import { droppedText } from '../scoring/dropped-text.ts';
import { type AnswerSource, openAnswers } from '../scoring/open-answers.ts';
import { scoreAnswers } from '../scoring/score-answers.ts';
import { jsonScores, ScoreTable } from '../scoring/score-display.ts';
import { scoreWithReward } from '../scoring/score-with-reward.ts';
import { type TokenisedRow, tokeniseAnswers } from '../scoring/tokenise-answers.ts';
import { complain } from '../terminal.ts';
import { sayDryRun } from '../work-plan.ts';

/** Rows that are read, grouped by length and scored together. */
const CHUNK = 256;

export async function run(options: ScoreOptions): Promise<number> {
  if (options.reward !== null) return scoreWithReward(options, options.reward);
  await using source = await openAnswers(options);
  if (source.badRowCount > 0) complain(`${source.badRowCount} bad rows are skipped`);
  const { model, role } = await openModel(options);
  const rows = new ScoredRows(source, model, options);
  if (options.onBadRow === 'fail') await rows.check();
  const pairs = source.kind === 'preference';
  if (options.dryRun) {
    const rowsPart = {
      text: `${source.length} ${pairs ? 'pairs' : 'answers'}`,
      data: source.length,
    };
    const adapter = { text: options.adapter ?? 'none', data: options.adapter };
    const score = { text: 'log-probabilities', data: null };
    const plan = {
      verb: 'score',
      model: modelFacts(model),
      parts: { adapter, rows: rowsPart, score },
    };
    sayDryRun(plan, options.json);
    return 0;
  }
  const display = options.json ? jsonScores(pairs) : new ScoreTable(pairs);
  for (let start = 0; start < source.length; start += CHUNK) {
    const indices = Array.from(
      { length: Math.min(CHUNK, source.length - start) },
      (_, i) => start + i,
    );
    const tokenised = await rows.tokenise(indices);
    const fitting = tokenised.filter((row) => row !== null && row !== undefined);
    const scores = scoreAnswers(model, role, fitting, options.batchTokens).values();
    tokenised.forEach((row, place) => {
      if (row === undefined) return;
      display.row(start + place, row === null ? null : scores.next().value!);
    });
  }
  display.end();
  const notice = rows.faults.notice();
  if (notice !== null) console.error(notice);
  const lost = rows.lostNotice();
  if (lost !== null) complain(lost);
  if (rows.faults.count === source.length)
    throw new Error('--data: every row is bad, so there is nothing to score');
  return 0;
}

/** Tokenises rows; bad ones are an error or are skipped. */
class ScoredRows {
  readonly faults: RowFaults;
  /** Rows of whose answers the chat template drops text, with its fields. */
  readonly #lost = new Map<number, readonly string[]>();
  readonly #source: AnswerSource;
  readonly #model: LanguageModel;
  readonly #maxLength: number | null;

  constructor(source: AnswerSource, model: LanguageModel, { onBadRow, maxLength }: ScoreOptions) {
    this.faults = new RowFaults(onBadRow);
    this.#source = source;
    this.#model = model;
    this.#maxLength = maxLength;
  }

  /**
   * Checks every row, so that a bad one is reported before the first score is printed.
   * @throws DataError like {@link tokenise}
   */
  async check(): Promise<void> {
    for (let index = 0; index < this.#source.length; index++) await this.tokenise([index]);
  }

  /** A notice about text that the chat template drops; null if it writes all text. */
  lostNotice(): string | null {
    if (this.#lost.size === 0) return null;
    const what = droppedText([...new Set([...this.#lost.values()].flat())]);
    return (
      `${this.#lost.size} of ${this.#source.length} rows: the chat template drops ${what}, ` +
      'so the score is of the rest. To see what is left, run keel tokens'
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
