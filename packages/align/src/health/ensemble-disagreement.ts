// The members of a reward ensemble differ more and more on what the policy writes: it has left the
// answers that the reward model was trained on (Coste et al. 2023, arXiv:2310.02743), and what it
// is paid for is uncertain. This shows before a gold reward falls.
//
// Threshold: the mean deviation of the members is 1.5 times that of the start (a warning), or three
// times (serious). In a run against the minimum of three small reward models, whose gold reward
// rose throughout, it stayed between 0.7 and 1.3 times the start.
import type { Detector } from './detector.ts';
import { shown } from './numbers.ts';

const WARNING = 1.5;
const SERIOUS = 3;
const ASPECTS = 'rewards/';
const NAME = /(^|[/.])deviation\/mean$/;

export const ensembleDisagreement: Detector = {
  code: 'ensemble-disagreement',
  looksAt: 'members of a reward ensemble that disagree more and more',
  applies: (history) => history.namesFrom(ASPECTS).some(({ rest }) => NAME.test(rest)),
  check(history) {
    const found = history
      .namesFrom(ASPECTS)
      .filter(({ rest }) => NAME.test(rest))
      .flatMap(({ name }) => history.medians(name) ?? [])
      .find(({ start, now }) => start > 0 && now >= WARNING * start);
    if (found === undefined) return null;
    const { start, now } = found;
    return {
      severity: now >= SERIOUS * start ? 'serious' : 'warning',
      what: `the reward models of the ensemble differ by ${shown(now)} on the latest answers (standard deviation), and by ${shown(start)} at the start: the policy has moved to answers that they do not know`,
      evidence: { start, now },
      advice:
        'Stop earlier, raise --beta, or let the disagreement cost something (ensemble: lower_bound). keel ask --by disagreement chooses comparisons to label, and --refresh trains the reward model on them.',
    };
  },
};
