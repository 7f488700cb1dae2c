// The answers that people preferred become very unlikely: the margin then grows only because the
// rejected ones fall further, and probability moves to texts that nobody asked for.
//
// Threshold: on the same answers, the ratio of summed log-probabilities is the ratio of the mean
// log-probabilities per token. Twice as many nats (from 1.2 per token to 2.4, say) is more than the
// displacement of honest runs (Razin et al. 2024; Keel's stay below 1.5); three times is a model
// that no longer speaks the language of its data. Both limits need a fall of 20 nats per answer, so
// that near-certain short answers do not count, and a fall relative to the reference, so that other
// rows or a harder batch do not.
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
        advice: `The model moves away from the answers it should learn. ${lowerRate(context)}. In keel dpo, --loss sigmoid,chosen_nll holds them up.`,
      };
    }
    return null;
  },
};
