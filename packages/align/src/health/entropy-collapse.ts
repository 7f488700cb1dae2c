// The policy hardly varies any more: whatever it samples, it writes nearly the same, so groups of
// answers teach nothing and nothing better is found.
//
// Threshold: the entropy per token falls below a tenth of the start (a warning) or below 3% of it
// (serious). A policy that has learnt a fixed format rightly falls far: the bundled sums recipe
// ends at 16% of its start, and runs against a learnt reward at 80%. A policy that was paid for
// list items ended at 1%.
import type { Detector } from './detector.ts';
import { shown } from './numbers.ts';

const WARNING = 0.1;
const SERIOUS = 0.03;
const NAME = 'entropy';

export const entropyCollapse: Detector = {
  code: 'entropy-collapse',
  looksAt: 'a policy whose answers no longer vary',
  applies: (history) => history.count(NAME) > 0,
  check(history) {
    const entropy = history.medians(NAME);
    if (entropy === null) return null;
    const { start, now } = entropy;
    if (!(start > 0) || now >= WARNING * start) return null;
    return {
      severity: now < SERIOUS * start ? 'serious' : 'warning',
      what: `the entropy of the sampled tokens fell from ${shown(start)} to ${shown(now)} nats per token, so answers hardly vary`,
      evidence: { start, now },
      advice:
        'Read the latest answers in samples.jsonl. If they are not what you want, lower --learning-rate, raise --beta, or pass --entropy-bonus.',
    };
  },
};
