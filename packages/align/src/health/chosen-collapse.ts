// The chosen answers become very unlikely. The margin then grows only because the rejected answers
// become even less likely, and probability moves to other texts.
//
// Threshold: twice as many nats as at the start (a warning) or three times (serious). On the same
// answers, the ratio of summed log-probabilities equals the ratio of the means per token. Sound
// runs displace the chosen answers less than twofold (Razin et al. 2024); Keel's stay below 1.5. At
// three times, the model no longer writes the language of its data. Both limits need a fall of 20
// nats per answer, which excludes near-certain short answers. They also need a fall relative to the
// reference, which excludes a harder batch or other rows.
import { type Detector, lowerRate } from './detector.ts';
import { rowsOf } from './history.ts';
import { shown } from './numbers.ts';

const WARNING = 2;
const SERIOUS = 3;
const NATS = 20;

export const chosenCollapse: Detector = {
  code: 'chosen-collapse',
  looksAt: 'the log-probability of chosen answers collapsing',
  applies: (history) => history.count('logps/chosen') > 0,
  check(history, context) {
    for (const on of rowsOf) {
      const found = history.change('logps/chosen', on);
      if (found === null) continue;
      const { start, now } = found;
      const ratio = now / start;
      if (!(start < 0 && ratio >= WARNING && start - now >= NATS)) continue;
      const reward = history.change('rewards/chosen', on);
      if (reward !== null && !(reward.now < 0)) continue;
      return {
        severity: ratio >= SERIOUS ? 'serious' : 'warning',
        what: `the log-probability of the chosen answers (${on} rows) fell from ${shown(start)} to ${shown(now)} nats per answer`,
        evidence: { start, now, ratio },
        advice: `The model moves away from the answers it should learn. ${lowerRate(context)}. In keel dpo, --loss sigmoid,chosen_nll keeps the chosen answers likely.`,
      };
    }
    return null;
  },
};
