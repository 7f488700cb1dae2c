import { DataError, unknownToken } from '@keel/align';
import type { LanguageModel } from '@keel/model';
import { openModel } from '../open-model.ts';
import type { ScoreOptions } from '../options/score.ts';
import { type AnswerSource, openAnswers } from '../scoring/open-answers.ts';
import { scoreAnswers } from '../scoring/score-answers.ts';
import { jsonScores, ScoreTable } from '../scoring/score-display.ts';
import { scoreWithReward } from '../scoring/score-with-reward.ts';
import { type TokenisedRow, tokeniseAnswers } from '../scoring/tokenise-answers.ts';
import { complain } from '../terminal.ts';

/** Rows that are read, grouped by length and scored together. */
const CHUNK = 256;

export async function run(options: ScoreOptions): Promise<number> {
  if (options.reward !== null) return scoreWithReward(options, options.reward);
  await using source = await openAnswers(options);
  if (source.badRowCount > 0) complain(`${source.badRowCount} bad rows are left out`);
  const { model, role } = await openModel(options);
  await refuseUnknownTokens(source, model, options.maxLength);
  const pairs = source.kind === 'preference';
  const display = options.json ? jsonScores(pairs) : new ScoreTable(pairs);
  for (let start = 0; start < source.length; start += CHUNK) {
    const indices = Array.from(
      { length: Math.min(CHUNK, source.length - start) },
      (_, i) => start + i,
    );
    const rows = (await source.readMany(indices)).map((row) =>
      tokeniseAnswers(row, model.tokenizer, options.maxLength),
    );
    const fitting = rows.filter((row): row is TokenisedRow => row !== null);
    const scores = scoreAnswers(model, role, fitting, options.batchTokens).values();
    rows.forEach((row, place) => {
      display.row(start + place, row === null ? null : scores.next().value!);
    });
  }
  display.end();
  return 0;
}

/** Looks at every row before the first score is printed, where the tokenizer has tokens that the model lacks. */
async function refuseUnknownTokens(
  source: AnswerSource,
  { tokenizer, decoder }: LanguageModel,
  maxLength: number | null,
): Promise<void> {
  const { vocabularySize } = decoder.config;
  if (tokenizer.vocabSize <= vocabularySize) return;
  for (let index = 0; index < source.length; index++) {
    const row = tokeniseAnswers(await source.read(index), tokenizer, maxLength);
    if (row === null) continue;
    const sequences = [row.prompt, ...row.answers.map(({ answer }) => answer.tokens)];
    const fault = unknownToken(sequences, tokenizer, vocabularySize);
    if (fault !== null) throw new DataError({ ...source.place(index), ...fault });
  }
}
