// LD-DPO (Liu et al. 2024, arXiv:2409.06411, eq. 10): tokens beyond the shorter answer's length are
// weighted by alpha, so that length itself is rewarded less. The paper and TRL 1.13 weight policy
// and reference alike: `ld_dpo`. Earlier versions of TRL weighted only the policy: `ld_dpo_policy`,
// whose loss at the first step is therefore not ln 2.
import type { Tensor } from '@keel/torch';
import { z } from 'zod';
import { definePaired, logRatioMargin, objectiveOption, type SharedPart } from './paired.ts';

const options = {
  ldAlpha: objectiveOption(
    z.number().min(0).max(1).default(0.5),
    "ld_dpo, ld_dpo_policy: weight of tokens beyond the shorter answer's length; 1: DPO",
    'alpha',
  ),
};

/** An answer's log-probability with the excess tokens weighted, [P] */
const desensitised = (whole: Tensor, shared: Tensor, alpha: number): Tensor =>
  whole.mul(alpha).add(shared, 1 - alpha);

const policyPart = (whole: SharedPart, shared: SharedPart, alpha: number) => ({
  policyChosen: desensitised(whole.policyChosen, shared.policyChosen, alpha),
  policyRejected: desensitised(whole.policyRejected, shared.policyRejected, alpha),
});

/** -log s(b d'), d' of shared + alpha (whole - shared) */
export const ldDpo = definePaired({
  name: 'ld_dpo',
  needsReference: true,
  softLabels: true,
  needs: ['shared'],
  options,
  loss(scores, { beta, ldAlpha }) {
    const { shared } = scores;
    const parts = {
      ...policyPart(scores, shared, ldAlpha),
      referenceChosen: desensitised(scores.referenceChosen, shared.referenceChosen, ldAlpha),
      referenceRejected: desensitised(scores.referenceRejected, shared.referenceRejected, ldAlpha),
    };
    return logRatioMargin(parts).mul(beta).logSigmoid().neg();
  },
});

/** Like `ld_dpo`, with unweighted reference log-probabilities */
export const ldDpoPolicy = definePaired({
  name: 'ld_dpo_policy',
  needsReference: true,
  softLabels: true,
  needs: ['shared'],
  options,
  loss: (scores, { beta, ldAlpha }) =>
    logRatioMargin({ ...scores, ...policyPart(scores, scores.shared, ldAlpha) })
      .mul(beta)
      .logSigmoid()
      .neg(),
});
