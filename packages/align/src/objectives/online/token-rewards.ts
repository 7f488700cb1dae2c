// Converts a completion's score to rewards of its tokens: r_t = -b KL_t, plus the score at the last
// scored token (Ziegler et al. 2019, arXiv:1909.08593, eq. 2; InstructGPT, Ouyang et al. 2022,
// arXiv:2203.02155, eq. 2). TRL's PPO adds the score one position after the end token
// (huggingface/trl#3750); that position does not exist here.
import { expectFinite, expectLength, type Numbers, type RolloutLayout } from './rollout.ts';

export interface ScoreShaping {
  /** Scores are clipped to [-clip, clip], before any penalty. */
  clip?: number;
  /** Penalty of a completion without an end token, at least 0. */
  missingEosPenalty?: number;
  /**
   * `subtract`: score - penalty (TRL's); `replace`: -penalty instead of the score (Huang et al.
   * 2024, arXiv:2403.17031, the EOS trick).
   */
  missingEos?: 'subtract' | 'replace';
}

/**
 * @param scores [S]
 * @param ended [S], whether the completion has its end token
 * @returns [S]
 */
export function shapeScores(
  scores: Numbers,
  ended: ArrayLike<boolean>,
  { clip = Number.POSITIVE_INFINITY, missingEosPenalty = 0, missingEos = 'subtract' }: ScoreShaping,
): Float64Array {
  expectFinite(scores, 'the score of sequence');
  if (ended.length !== scores.length) {
    throw new RangeError(`${ended.length} end marks for ${scores.length} scores`);
  }
  if (!(clip > 0)) throw new RangeError(`a reward clip must be above 0, got ${clip}`);
  if (!(missingEosPenalty >= 0)) {
    throw new RangeError(
      `the missing-EOS penalty is subtracted and must be at least 0, got ${missingEosPenalty}`,
    );
  }
  return Float64Array.from(scores, (score, sequence) => {
    const kept = Math.min(Math.max(score, -clip), clip);
    if (ended[sequence] || missingEosPenalty === 0) return kept;
    return missingEos === 'replace' ? -missingEosPenalty : kept - missingEosPenalty;
  });
}

/**
 * @param scores [S]
 * @param kl [N], of each token (k1 is the estimator with a known optimum); null if KL is a loss
 *   term, never both
 * @returns [N]
 */
export function tokenRewards(
  layout: RolloutLayout,
  scores: Numbers,
  kl: Numbers | null,
  klCoefficient: number,
): Float64Array {
  expectLength(scores, layout.sequences, 'scores', 'sequences');
  expectFinite(scores, 'the score of sequence');
  const rewards = new Float64Array(layout.tokens);
  if (kl !== null) {
    expectLength(kl, layout.tokens, 'KL values', 'scored tokens');
    expectFinite(kl, 'the KL of token');
    for (let token = 0; token < rewards.length; token++)
      rewards[token] = -klCoefficient * kl[token]!;
  }
  for (let sequence = 0; sequence < layout.sequences; sequence++) {
    rewards[layout.lastOf(sequence)]! += scores[sequence]!;
  }
  return rewards;
}

/**
 * The same as a single reward of the whole completion: score - b KL (Ahmadian et al. 2024,
 * arXiv:2402.14740, section 2).
 * @returns [S]
 */
export const sequenceRewards = (
  layout: RolloutLayout,
  scores: Numbers,
  kl: Numbers | null,
  klCoefficient: number,
): Float64Array => layout.sums(tokenRewards(layout, scores, kl, klCoefficient));
