import { packPairs, scorePairs, splitMicroBatches, type TokenisedPair } from '@keel/align/internal';
import { BatchBuilder, type LanguageModel, type Role } from '@keel/model';
import { noGrad, tidy } from '@keel/torch';
import type { TokenisedRow } from './tokenise-answers.ts';

/** The model's score of one answer. */
export interface AnswerScore {
  /** log p(answer | prompt), summed over its scored tokens, in nats */
  logp: number;
  /** Scored tokens. */
  tokens: number;
}

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

function scoreCompletions(model: LanguageModel, rows: readonly TokenisedRow[]): AnswerScore[][] {
  const builder = new BatchBuilder();
  const places: number[] = [];
  const targets: number[] = [];
  const counts = rows.map(({ prompt, answers: [only] }) => {
    const { tokens, scored } = only!.answer;
    const prefix = prompt.length > 0 ? builder.add(prompt) : -1;
    const start = builder.size;
    builder.add(tokens, prefix);
    const before = targets.length;
    tokens.forEach((token, index) => {
      // The first token is predicted by the prompt's last one; without a prompt nothing predicts
      // it.
      if (!scored[index] || (index === 0 && prefix < 0)) return;
      places.push(start + index - 1);
      targets.push(token);
    });
    return targets.length - before;
  });
  const { logprobs } = model.scoreTokens(builder.build(), {
    rows: Int32Array.from(places),
    targets: Int32Array.from(targets),
  });
  const values = logprobs.toArray() as number[]; // [N]
  let next = 0;
  return counts.map((tokens) => {
    const own = values.slice(next, next + tokens);
    next += tokens;
    return [{ logp: own.reduce((sum, value) => sum + value, 0), tokens }];
  });
}
