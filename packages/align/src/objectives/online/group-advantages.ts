// Advantages from the other completions of the same prompt. RLOO (Kool et al. 2019; Ahmadian et al.
// 2024, arXiv:2402.14740, section 2.3): the mean of the others is the baseline. GRPO (Shao et al.
// 2024, DeepSeekMath, arXiv:2402.03300, section 4.1.2): (r - mean) / std of the group. The paper
// adds nothing to the std; TRL adds 1e-4 and applies Bessel's correction, as does this code. `none`
// is Dr. GRPO (Liu et al. 2025, arXiv:2503.20783, section 3.2); `batch` divides by the std of all
// rewards of the batch (Lite PPO, arXiv:2508.08221; TRL's).
import { expectFinite, expectLength, type Numbers, type RolloutLayout } from './rollout.ts';
import { moments } from './whitening.ts';

export const advantageScalings = ['group', 'batch', 'none'] as const;
export type AdvantageScaling = (typeof advantageScalings)[number];

export interface GroupAdvantages {
  /** [S] */
  advantages: Float64Array;
  groups: number;
  /** Groups whose rewards are all the same: they have no effect, whatever the scaling. */
  zeroVariance: number;
}

function eachGroup(
  layout: RolloutLayout,
  rewards: Numbers,
  advantagesOf: (rewards: readonly number[], spread: number) => readonly number[],
): GroupAdvantages {
  expectLength(rewards, layout.sequences, 'rewards', 'sequences');
  expectFinite(rewards, 'the reward of sequence');
  const advantages = new Float64Array(layout.sequences);
  const members = layout.members();
  let zeroVariance = 0;
  for (const [group, sequences] of members) {
    if (sequences.length < 2) {
      throw new RangeError(
        `prompt ${group} has one completion and nothing to compare it with: sample at least 2 per prompt`,
      );
    }
    const own = sequences.map((sequence) => rewards[sequence]!);
    const { variance } = moments(own);
    if (variance === 0) {
      zeroVariance++; // Exactly 0 stays exactly 0, whatever the divisor.
      continue;
    }
    const found = advantagesOf(own, Math.sqrt(variance));
    sequences.forEach((sequence, at) => {
      advantages[sequence] = found[at]!;
    });
  }
  return { advantages, groups: members.size, zeroVariance };
}

/**
 * R_i - mean of the others = G/(G - 1) (R_i - mean)
 * @param rewards [S], including KL if it is part of the reward
 * @throws RangeError for a prompt with one completion, or a reward that is not finite
 */
export const leaveOneOutAdvantages = (layout: RolloutLayout, rewards: Numbers): GroupAdvantages =>
  eachGroup(layout, rewards, (own) => {
    const { mean } = moments(own);
    return own.map((reward) => (own.length / (own.length - 1)) * (reward - mean));
  });

/**
 * (R_i - mean of the group) / (std + epsilon)
 * @param rewards [S]
 * @throws RangeError for a prompt with one completion, or a reward that is not finite
 */
export function groupAdvantages(
  layout: RolloutLayout,
  rewards: Numbers,
  { scaling = 'group', epsilon = 1e-4 }: { scaling?: AdvantageScaling; epsilon?: number } = {},
): GroupAdvantages {
  if (!advantageScalings.includes(scaling)) {
    throw new Error(
      `unknown scaling "${scaling}": expected one of ${advantageScalings.join(', ')}`,
    );
  }
  const ofBatch = scaling === 'batch' ? Math.sqrt(moments(rewards).variance) : 0;
  return eachGroup(layout, rewards, (own, spread) => {
    const { mean } = moments(own);
    const divisor = scaling === 'none' ? 1 : (scaling === 'batch' ? ofBatch : spread) + epsilon;
    return own.map((reward) => (reward - mean) / divisor);
  });
}
