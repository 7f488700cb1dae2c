// The implicit reward margin (beta times the difference of the log-ratios) leaves the range in
// which preference losses have a gradient.
//
// Threshold: a margin of 20 (a warning) or 50 (serious). At 20, the logistic loss has a gradient of
// sigmoid(-20) = 2e-9 of its largest, so a pair's own updates cannot raise its margin that far;
// only those of other pairs can. The bundled quickstart, which separates all of its held-out pairs,
// ends at 6. At 50 with beta 0.1, the log-probabilities of the two answers have moved apart by 500
// nats, which only happens in a broken model.
import { type Detector, lowerRate } from './detector.ts';
import { rowsOf } from './history.ts';
import { shown } from './numbers.ts';

const WARNING = 20;
const SERIOUS = 50;

export const explodingMargin: Detector = {
  code: 'exploding-margin',
  looksAt: 'margins between chosen and rejected that explode',
  applies: (history) =>
    history.count('rewards/margins') > 0 || history.count('eval_rewards/margins') > 0,
  check(history, context) {
    for (const on of rowsOf) {
      const found = history.change('rewards/margins', on);
      if (found === null || !(Math.abs(found.now) > WARNING)) continue;
      const { now } = found;
      return {
        severity: Math.abs(now) > SERIOUS ? 'serious' : 'warning',
        what: `the ${on} reward margin is ${shown(now)}; preference losses have no gradient beyond about 10`,
        evidence: { now, limit: WARNING },
        advice:
          'A loss near 0 and an accuracy of 100% do not show a good model here: read the answers. ' +
          `${lowerRate(context)}, a larger --beta or fewer steps.`,
      };
    }
    return null;
  },
};
