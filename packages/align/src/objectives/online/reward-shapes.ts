// Rewards that are bounded above, so that a policy gains little where its reward is high already.
// Both compare a score with that of a reference answer to the same prompt:
//   sigmoid:      s(r - r_ref), the chance of beating the reference (PAR: Fu et al. 2025,
//                 arXiv:2502.18770, the mean over several references)
//   log_sigmoid:  log s(r - r_ref) (Wang et al. 2024, arXiv:2402.00742); their sum over
//                 several rewards is the logarithm of "all of them are good"
// The chance is that of Bradley-Terry's model if r is a reward model trained on comparisons.

export const rewardShapes = ['none', 'sigmoid', 'log_sigmoid'] as const;
export type RewardShape = (typeof rewardShapes)[number];

/** The shape of a score that is already centred; never overflows. */
export function shaped(centred: number, shape: RewardShape): number {
  if (shape === 'none') return centred;
  const log = Math.min(centred, 0) - Math.log1p(Math.exp(-Math.abs(centred)));
  return shape === 'sigmoid' ? Math.exp(log) : log;
}

/**
 * The mean of the shapes against each reference.
 * @param scores [S]
 * @param references by score: the scores of reference answers to the same prompt
 * @returns [S]
 * @throws RangeError for a score without a reference
 */
export function shapedAgainst(
  scores: ArrayLike<number>,
  references: readonly (readonly number[])[],
  shape: RewardShape,
): Float64Array {
  return Float64Array.from(scores, (score, at) => {
    const own = references[at] ?? [];
    if (own.length === 0) throw new RangeError(`score ${at} has no reference to compare it with`);
    return own.reduce((sum, reference) => sum + shaped(score - reference, shape), 0) / own.length;
  });
}
