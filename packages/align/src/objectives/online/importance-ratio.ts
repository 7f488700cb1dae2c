// The importance ratio policy/old, at four levels:
//   token             p_t / old_t (PPO, arXiv:1707.06347, section 3; GRPO)
//   sequence          (p(y) / old(y))^(1/n), the geometric mean (GSPO, Zheng et al. 2025,
//                     arXiv:2507.18071, eq. 7; TRL's importance_sampling_level "sequence"). Its
//                     clip range is of another order: the paper uses 3e-4 and 4e-4
//   sequence_token    the value of `sequence`, with each token's own gradient (GSPO-token, eq. 14),
//                     for advantages that differ within a sequence; with equal ones its gradient
//                     is that of `sequence`
//   sequence_product  p(y) / old(y), not divided by n (TRL's RLOOTrainer with several updates per
//                     batch)
import type { Tensor } from '@keel/torch';
import { boundedExp } from './bounded-exp.ts';
import type { RolloutLayout } from './rollout.ts';

export const ratioLevels = ['token', 'sequence', 'sequence_token', 'sequence_product'] as const;
export type RatioLevel = (typeof ratioLevels)[number];

/**
 * @param policy [N] log-probabilities, with a gradient
 * @param old [N], of the policy that sampled, computed with the same forward code as in training
 * @returns [N]; the same for all tokens of a sequence at the sequence levels
 */
export function importanceRatio(
  layout: RolloutLayout,
  { policy, old }: { policy: Tensor; old: Tensor },
  level: RatioLevel,
): Tensor {
  const logRatio = policy.sub(old.detach()); // [N]
  switch (level) {
    case 'token':
      return boundedExp(logRatio);
    case 'sequence':
      return layout.spreadOver(boundedExp(layout.meanOver(logRatio)));
    case 'sequence_token': {
      const mean = layout.spreadOver(layout.meanOver(logRatio.detach())); // [N]
      return boundedExp(mean.add(policy.sub(policy.detach())));
    }
    case 'sequence_product':
      return layout.spreadOver(boundedExp(layout.sumOver(logRatio)));
    default:
      throw new Error(`unknown ratio level "${level}": expected one of ${ratioLevels.join(', ')}`);
  }
}
