// Several reward models' scores as one, against overoptimisation (Coste et al. 2023,
// arXiv:2310.02743): what the members disagree on lies outside what they learnt from. Bradley-Terry
// fixes a member's scores only up to a constant, so members are to be normalised
// (`normalisation.ts`) before the lowest of them means anything.
// The mean less standard deviations is Eisenstein et al.'s (2023, arXiv:2312.09244) and is in the
// reward's own unit; Coste et al. subtract the variance, which is not: both are here, under their
// own names.

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
 * One score an answer from K members' scores.
 * @param members [K][N]
 * @param k weight of the disagreement in `lower_bound` and `uncertainty_weighted`
 * @returns [N]
 * @throws RangeError for members of different lengths, for none, and for a rule of disagreement
 *   with one member
 */
export function combineEnsemble(
  members: readonly ArrayLike<number>[],
  rule: EnsembleRule,
  k = 1,
): number[] {
  const penalised = rule === 'lower_bound' || rule === 'uncertainty_weighted';
  if (penalised && members.length < 2) {
    throw new RangeError(
      `${rule} weighs how much members differ and needs two or more, got ${members.length}; take mean`,
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
 * @throws RangeError for members of different lengths, or none
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
      `an ensemble's members score the same answers, not ${first.length} and ${other.length}`,
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
