import {
  type AnswerLogprob,
  answerLogprobs,
  packPairs,
  scorePairs,
  splitMicroBatches,
  type TokenisedPair,
} from '@keel/align/internal';
import type { LanguageModel, Role } from '@keel/model';
import { noGrad, tidy } from '@keel/torch';
import type { TokenisedRow } from './tokenise-answers.ts';

/** The model's score of one answer. */
export type AnswerScore = AnswerLogprob;

/**
 * Scores rows in packed passes of at most `batchTokens` tokens.
 * @param rows all pairs or all completions
 * @returns the scores of each row's answers
 */
export function scoreAnswers(
  model: LanguageModel,
  role: Role,
  rows: readonly TokenisedRow[],
  batchTokens: number,
): AnswerScore[][] {
  const results: AnswerScore[][] = new Array(rows.length);
  const lengths = rows.map(({ prompt, answers }) =>
    answers.reduce((sum, { answer }) => sum + prompt.length + answer.tokens.length, 0),
  );
  for (const pass of splitMicroBatches(lengths, { rows: null, tokens: batchTokens })) {
    const batch = pass.map((index) => rows[index]!);
    const score = batch[0]!.answers.length === 2 ? scorePass : scoreCompletions;
    const scores = tidy(() => noGrad(() => model.as(role, () => score(model, batch))));
    // A sum that is not finite is not a score: report the cause.
    if (!scores.flat().every(({ logp }) => Number.isFinite(logp))) {
      model.as(role, () => model.explainNonFinite());
    }
    pass.forEach((index, place) => {
      results[index] = scores[place]!;
    });
  }
  return results;
}

function scorePass(model: LanguageModel, rows: readonly TokenisedRow[]): AnswerScore[][] {
  const batch = packPairs(rows.map(asPair));
  const sums = scorePairs(model, batch, false).sums.toArray() as number[]; // [2P]
  return rows.map((_, pair) =>
    [2 * pair, 2 * pair + 1].map((place) => ({ logp: sums[place]!, tokens: batch.counts[place]! })),
  );
}

const asPair = ({
  prompt,
  answers: [chosen, rejected],
  truncated,
}: TokenisedRow): TokenisedPair => ({
  prompt,
  chosen: chosen!.answer,
  rejected: rejected!.answer,
  truncated,
});

const scoreCompletions = (model: LanguageModel, rows: readonly TokenisedRow[]): AnswerScore[][] =>
  answerLogprobs(
    model,
    rows.map(({ prompt, answers }) => ({ prompt, answers: answers.map(({ answer }) => answer) })),
  );
