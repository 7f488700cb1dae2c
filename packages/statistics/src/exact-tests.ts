/**
 * Two-sided exact sign test: the probability, if both directions were equally likely, of a split at
 * least as uneven as this one. Exclude ties.
 *
 * @throws RangeError for counts that are not whole and non-negative.
 */
export function signTest(wins: number, losses: number): number {
  for (const count of [wins, losses]) {
    if (!(Number.isInteger(count) && count >= 0))
      throw new RangeError(`a count must be a non-negative integer, got ${count}`);
  }
  const trials = wins + losses;
  const fewer = Math.min(wins, losses);
  // Update the log of the binomial coefficient from term to term; 2^-trials alone would underflow.
  let logChoose = 0;
  let tail = 0;
  for (let count = 0; count <= fewer; count++) {
    tail += Math.exp(logChoose - trials * Math.LN2);
    logChoose += Math.log((trials - count) / (count + 1));
  }
  return Math.min(1, 2 * tail);
}

/**
 * McNemar's exact test for yes/no outcomes of the same items before and after: the sign test on the
 * items that changed.
 *
 * @returns the two-sided p-value and how many items changed each way.
 * @throws RangeError for lists of different lengths.
 */
export function mcnemarTest(
  before: readonly boolean[],
  after: readonly boolean[],
): { p: number; gained: number; lost: number } {
  if (before.length !== after.length) {
    throw new RangeError(`${before.length} items before and ${after.length} after are not pairs`);
  }
  const gained = after.filter((value, index) => value && !before[index]).length;
  const lost = before.filter((value, index) => value && !after[index]).length;
  return { p: signTest(gained, lost), gained, lost };
}
