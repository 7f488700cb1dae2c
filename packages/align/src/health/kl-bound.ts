// The policy is further from the reference than the stated bound, --max-kl.
//
// Default of the bound: 50 nats per answer. Keel's sound online runs end at 2 to 5. Its DPO
// quickstart, whose answers are still sensible, ends at 30. Beyond 50, a sampled answer is e^50
// times as likely as under the reference. The policy is then far from the answers that the reward
// was made for (Gao et al. 2023). The median of five batches is compared because single batches
// vary.
import type { Detector } from './detector.ts';
import { median, shown } from './numbers.ts';

const STEPS = 5;
const NAME = 'objective/kl';

export const klBound: Detector = {
  code: 'kl-bound',
  looksAt: 'the KL to the reference exceeding --max-kl',
  applies: (history, { maxKl }) => maxKl !== null && history.count(NAME) > 0,
  check(history, { maxKl }) {
    const values = history.latest(NAME, STEPS);
    if (maxKl === null || values.length < STEPS) return null;
    const now = median(values);
    if (!(now > maxKl)) return null;
    return {
      severity: now > 2 * maxKl ? 'serious' : 'warning',
      what: `the KL to the reference is ${shown(now)} nats per answer, above the bound of ${shown(maxKl)}`,
      evidence: { now, bound: maxKl },
      advice:
        'Read the answers: the reward may be exploited. Raise --beta, lower --learning-rate, stop earlier, or set another bound with --max-kl.',
    };
  },
};
