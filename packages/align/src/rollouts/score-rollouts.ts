// Log-probabilities and values of sampled answers from a role, without gradient, computed by the
// training path.
import type { LanguageModel, Role } from '@keel/model';
import { inTurns, noGradSteps, type Steps, type Tensor, tidySteps } from '@keel/torch';
import type { MicroBatchLimit } from '../batching/micro-batches.ts';
import { type PackedRollouts, packRollouts, rolloutPasses } from '../batching/pack-rollouts.ts';
import { inShares, shareCount } from '../sharing/in-shares.ts';
import type { Rollouts } from './rollouts.ts';

export interface ScoreOptions {
  limit: MicroBatchLimit;
  temperature: number;
  /** Called for every pass. */
  count?(pass: PackedRollouts): void;
}

type Scoring = (pass: PackedRollouts) => Steps<Tensor>;

/**
 * [N] log-probabilities of the sampled tokens, computed in the same passes as a training step on
 * the whole batch.
 */
export function rolloutLogprobs(
  model: LanguageModel,
  role: Role,
  rollouts: Rollouts,
  options: ScoreOptions,
): Promise<Float64Array> {
  const { temperature } = options;
  return inPasses(rollouts, options, function* ({ packed, scored }) {
    const pass = model.scoreTokensSteps(packed, scored, { temperature });
    return (yield* model.asSteps(role, pass)).logprobs;
  });
}

/** [N] values of the state before each sampled token, from a role's scalar head. */
export function rolloutValues(
  model: LanguageModel,
  role: Role,
  rollouts: Rollouts,
  options: ScoreOptions,
): Promise<Float64Array> {
  return inPasses(rollouts, options, function* ({ packed, scored }) {
    const pass = model.readHeadSteps(packed, scored.rows);
    return (yield* model.asSteps(role, pass)).scores.select(1, 0);
  });
}

async function inPasses(
  rollouts: Rollouts,
  { limit, count }: ScoreOptions,
  scoring: Scoring,
): Promise<Float64Array> {
  const { layout, everySequence } = rollouts;
  const shares = rolloutPasses(rollouts, everySequence, limit, { shares: shareCount() });
  const passes = shares.flat();
  const numbers = await inShares(shares, async (sequences) => {
    const pass = packRollouts(rollouts, sequences);
    count?.(pass);
    using values = await inTurns(noGradSteps(tidySteps(scoring(pass))));
    return values.toArray();
  });
  const found = new Float64Array(layout.tokens);
  for (const [index, sequences] of passes.entries()) {
    layout.select(sequences).tokens.forEach((token, at) => {
      found[token] = numbers[index]![at]!;
    });
  }
  return found;
}
