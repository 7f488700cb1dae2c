// Log-probabilities of the continuations of one context.
import { BatchBuilder, type LanguageModel, type Role } from '@keel/model';
import { noGrad, tidy } from '@keel/torch';
import type { Outcome } from './task.ts';

export interface ContinuationScore {
  /** log p(continuation | context), in nats */
  logp: number;
  /** Whether every token of it is the most likely one. */
  greedy: boolean;
  tokens: number;
}

/** A continuation is longer than the model allows, so it has no log-probability. */
export class LongContinuationError extends Error {}

/**
 * What a row gives, or why it could not be asked.
 * @throws what `ask` throws, except for a continuation that is longer than the model allows
 */
export async function unlessTooLong(ask: () => Outcome | Promise<Outcome>): Promise<Outcome> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof LongContinuationError)) throw error;
    const nothing = { values: {}, target: '', arguments: [], responses: [], filtered: {} };
    return { ...nothing, skipped: error.message };
  }
}

/**
 * Scores continuations that share a context. Its tokens are computed once, and all continuations
 * attend to them. This is the model's only pass for them, and nothing else is in it: results do not
 * depend on other rows, to the last bit.
 *
 * A sequence that is longer than the model allows is cut from the left, as in lm-eval, and then
 * computed alone.
 * @param counted which tokens of each continuation are scored (default: all)
 * @throws LongContinuationError for a continuation that is longer than the model allows
 */
export function scoreContinuations(
  model: LanguageModel,
  role: Role,
  context: readonly number[],
  continuations: readonly (readonly number[])[],
  counted?: readonly (readonly boolean[])[],
): { scores: ContinuationScore[]; truncated: boolean } {
  const { maxPositions } = model.decoder.config;
  const longest = Math.max(...continuations.map(({ length }) => length));
  if (longest > maxPositions) {
    throw new LongContinuationError(
      `an answer has ${longest} tokens, and the model allows ${maxPositions}`,
    );
  }
  const builder = new BatchBuilder();
  const rows: number[] = [];
  const targets: number[] = [];
  const owners: number[] = [];
  const fits = (tokens: readonly number[]): boolean =>
    context.length + tokens.length - 1 <= maxPositions;
  const shared = continuations.some(fits) ? builder.add(context) : -1;
  const contextEnd = builder.size - 1;
  let truncated = false;
  continuations.forEach((tokens, owner) => {
    let last = contextEnd;
    let start: number;
    if (fits(tokens)) {
      start = builder.size;
      // The last token predicts nothing that is scored.
      if (tokens.length > 1) builder.add(tokens.slice(0, -1), shared);
    } else {
      truncated = true;
      const cut = [...context, ...tokens].slice(-(maxPositions + 1), -1);
      const own = builder.size;
      builder.add(cut);
      start = own + cut.length - (tokens.length - 1);
      last = start - 1;
    }
    tokens.forEach((token, index) => {
      if (counted?.[owner]?.[index] === false) return;
      rows.push(index === 0 ? last : start + index - 1);
      targets.push(token);
      owners.push(owner);
    });
  });
  const { logprobs, argmax } = tidy(() =>
    noGrad(() =>
      model.as(role, () => {
        const found = model.scoreTokens(builder.build(), {
          rows: Int32Array.from(rows),
          targets: Int32Array.from(targets),
        });
        return {
          logprobs: found.logprobs.toArray() as number[],
          argmax: found.argmax.toArray() as (number | bigint)[],
        };
      }),
    ),
  );
  const scores = continuations.map(() => ({ logp: 0, greedy: true, tokens: 0 }));
  owners.forEach((owner, at) => {
    const score = scores[owner]!;
    score.logp += logprobs[at]!;
    score.tokens += 1;
    if (Number(argmax[at]) !== targets[at]) score.greedy = false;
  });
  // A sum that is not finite is not a score: report the cause.
  if (!scores.every(({ logp }) => Number.isFinite(logp))) {
    model.as(role, () => model.explainNonFinite());
  }
  return { scores, truncated };
}
