// The pair of a prompt's best-rated and worst-rated answer, as in self-rewarding (Yuan et al. 2024,
// arXiv:2401.10020, section 2.3), with the length control of meta-rewarding (Wu et al. 2024,
// arXiv:2407.19594): of nearly equal answers the shorter is chosen, the longer rejected.

/**
 * @param ratings one per answer; null for an answer without one, which is in no pair
 * @param lengths of the answers, in any unit
 * @param guard ratings that differ from the best, or from the worst, by at most this share of their
 *   whole range count as equal: 0 to below 0.5
 * @returns indices of the answers; null if fewer than two are rated, or all are rated the same
 */
export function bestAndWorst(
  ratings: readonly (number | null)[],
  lengths: readonly number[],
  guard: number,
): { best: number; worst: number } | null {
  const rated = ratings.flatMap((rating, at) => (rating === null ? [] : [{ rating, at }]));
  const values = rated.map(({ rating }) => rating);
  const [high, low] = [Math.max(...values), Math.min(...values)];
  if (rated.length < 2 || high === low) return null;
  const near = guard * (high - low);
  const nearBest = rated.filter(({ rating }) => rating >= high - near);
  const nearWorst = rated.filter(({ rating }) => rating <= low + near);
  // The first of equal ones, in the order of the answers.
  const best = nearBest.reduce((one, other) =>
    lengths[other.at]! < lengths[one.at]! ? other : one,
  );
  const worst = nearWorst.reduce((one, other) =>
    lengths[other.at]! > lengths[one.at]! ? other : one,
  );
  return { best: best.at, worst: worst.at };
}
