// Combines the scores of several reward models, against overoptimisation (Coste et al. 2023,
// arXiv:2310.02743): answers on which the members disagree are outside of what they were trained
// on. Bradley-Terry determines a member's scores only up to a constant, so members must be
// normalised (`normalisation.ts`) before their minimum is meaningful.
// The mean minus standard deviations is from Eisenstein et al. (2023, arXiv:2312.09244) and has the
// unit of the reward. Coste et al. subtract the variance, which has not. Both are available, under
// different names.

/**
 * - `mean`: mean optimisation
 * - `minimum`: the lowest member, worst-case optimisation (WCO)
 * - `lower_bound`: mean - k * sd, sd the sample deviation sqrt(sum (s - mean)^2 / (K - 1))
 * - `uncertainty_weighted`: mean - k * variance, the variance sum (s - mean)^2 / K (UWO; k is the
 *   paper's lambda)
 */
export const ensembleRules = ['mean', 'minimum', 'lower_bound', 'uncertainty_weighted'] as const;
export type EnsembleRule = (typeof ensembleRules)[number];

/**
 * One score per answer from the scores of K members.
 * @param members [K][N]
 * @param k weight of the disagreement in `lower_bound` and `uncertainty_weighted`
 * @returns [N]
 * @throws RangeError for members of different lengths, for no members, and for a rule about
 *   disagreement with a single member
 */
export function combineEnsemble(
  members: readonly ArrayLike<number>[],
  rule: EnsembleRule,
  k = 1,
): number[] {
  const penalised = rule === 'lower_bound' || rule === 'uncertainty_weighted';
  if (penalised && members.length < 2) {
    throw new RangeError(
      `${rule} weighs how much members differ and needs two or more, got ${members.length}; use mean`,
    );
  }
  return answersOf(members, (scores) => {
    if (rule === 'minimum') return Math.min(...scores);
    const { mean, squares } = moments(scores);
    if (rule === 'mean') return mean;
    const spread =
      rule === 'lower_bound' ? Math.sqrt(squares / (scores.length - 1)) : squares / scores.length;
    return mean - k * spread;
  });
}

/**
 * How much the members differ on each answer: the sample standard deviation, 0 for a single member.
 * @param members [K][N]
 * @returns [N]
 * @throws RangeError for members of different lengths, or for no members
 */
export function ensembleDeviation(members: readonly ArrayLike<number>[]): number[] {
  return answersOf(members, (scores) =>
    scores.length === 1 ? 0 : Math.sqrt(moments(scores).squares / (scores.length - 1)),
  );
}

function answersOf(
  members: readonly ArrayLike<number>[],
  one: (scores: number[]) => number,
): number[] {
  const [first] = members;
  if (first === undefined) throw new RangeError('an ensemble needs at least one member');
  const other = members.find(({ length }) => length !== first.length);
  if (other !== undefined) {
    throw new RangeError(
      `an ensemble's members must score the same answers, got ${first.length} and ${other.length} scores`,
    );
  }
  return Array.from({ length: first.length }, (_, index) =>
    one(members.map((member) => member[index]!)),
  );
}

/** Mean, and the sum of squared differences from it. */
function moments(scores: readonly number[]): { mean: number; squares: number } {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return { mean, squares: scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) };
}
