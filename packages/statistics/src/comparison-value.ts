// What a comparison of two answers would teach a reward model: how much its members disagree on it,
// and how unsure they are. A member k gives the first answer the chance p_k = s(gap_k) of being the
// better one (Bradley & Terry 1952).

/** What the verdict on a pair of answers is expected to tell. */
export interface ComparisonValue {
  /** Mean chance that the first answer is the better one */
  probability: number;
  /**
   * Sample deviation of the members' gaps, in log-odds, or of their chances if they give chances; 0
   * for a single member
   */
  disagreement: number;
  /**
   * Information about which member is right that the verdict is expected to give, in nats: H(mean
   * p) - mean H(p_k) (Houlsby et al. 2011, arXiv:1112.5745, BALD); 0 for a single member
   */
  information: number;
  /**
   * Fisher information p (1 - p) of the verdict about the gap itself: at most 1/4, where the chance
   * is a half
   */
  uncertainty: number;
}

/**
 * Of members that give rewards, such as the heads of a reward model.
 * @param gaps of each member: reward of the first answer minus that of the second, in log-odds
 * @throws RangeError without a member, and for a gap that is not finite
 */
export function comparisonValue(gaps: readonly number[]): ComparisonValue {
  const fault = gaps.find((gap) => !Number.isFinite(gap));
  if (gaps.length === 0 || fault !== undefined) {
    throw new RangeError(
      `expected the finite gaps of one member or more, found ${fault ?? 'none'}`,
    );
  }
  const chances = gaps.map((gap) => 1 / (1 + Math.exp(-gap)));
  return valueFrom(chances, deviationOf(gaps));
}

/**
 * Of members that give chances, such as judges. A judge may be certain, and log-odds of 0 and 1 are
 * infinite: the disagreement is the deviation of the chances themselves, at most sqrt(1/2).
 * @param chances of each member: P(the first answer is the better one), with half of a tie
 * @throws RangeError without a member, and for a chance that is not from 0 to 1
 */
export function judgedComparisonValue(chances: readonly number[]): ComparisonValue {
  const fault = chances.find((chance) => !(chance >= 0 && chance <= 1));
  if (chances.length === 0 || fault !== undefined) {
    throw new RangeError(
      `expected the chances, from 0 to 1, of one member or more, found ${fault ?? 'none'}`,
    );
  }
  return valueFrom(chances, deviationOf(chances));
}

function valueFrom(chances: readonly number[], disagreement: number): ComparisonValue {
  const probability = mean(chances);
  return {
    ...{ probability, disagreement },
    information: Math.max(0, entropy(probability) - mean(chances.map(entropy))),
    uncertainty: probability * (1 - probability),
  };
}

/** Sample deviation; 0 of a single value. */
function deviationOf(values: readonly number[]): number {
  if (values.length === 1) return 0;
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of a coin, in nats. */
const entropy = (p: number): number => -plogp(p) - plogp(1 - p);
const plogp = (p: number): number => (p === 0 ? 0 : p * Math.log(p));
