// The reward was gamed: on held-out answers it rose, the gold reward did not, and changes of the
// answers explain the rise. The audit (packages/align/src/hacking) decides, with its thresholds,
// and writes its verdict into the numbers of the evaluation; this check only reports it.
import type { Detector } from './detector.ts';
import { shown } from './numbers.ts';

/** Metric of an evaluation: 1 if the reward was gamed, otherwise 0. */
export const GAMED = 'gamed';
/** Metric of an alarm: the step of the evaluation since which the reward was gamed. */
export const GAMED_SINCE = 'gamed_since';
const MECHANISM = 'gaming/';

/** Metric of a feature that explains the rise of a gamed reward: the share that goes with it. */
export const mechanismMetric = (feature: string): string => `${MECHANISM}${feature}`;

export const rewardGamed: Detector = {
  code: 'reward-gamed',
  looksAt: 'a reward that rises without the gold reward',
  applies: (history) => history.count(`eval_${GAMED}`) > 0,
  check(history) {
    if (history.latest(`eval_${GAMED}`, 1)[0] !== 1) return null;
    const shares = history
      .namesFrom(`eval_${MECHANISM}`)
      .map(({ name, rest }) => ({ feature: rest, share: history.latest(name, 1)[0]! }))
      .toSorted((a, b) => b.share - a.share);
    const change = (name: string): string => {
      const found = history.change(name, 'held-out');
      return found === null ? '' : ` (${shown(found.start)} to ${shown(found.now)})`;
    };
    const since = history.latest(`eval_${GAMED_SINCE}`, 1)[0] ?? 0;
    const happened =
      since === 0
        ? `the held-out reward rose${change('reward')} and the gold reward did not${change('gold')}`
        : `since step ${since}, the held-out reward rose and the gold reward did not`;
    const named = shares.map(
      ({ feature, share }) =>
        `${feature.replaceAll('_', ' ')} (${shown(Math.round(100 * share))}%)`,
    );
    return {
      severity: 'serious',
      what: `${happened}; the rise goes with ${named.join(', ')}`,
      evidence: Object.fromEntries(shares.map(({ feature, share }) => [feature, share])),
      advice: `Read the answers with keel audit --run${since === 0 ? '' : ` --since ${since}`}. Stop earlier, for example with --best-metric eval_gold, or change the reward so that it does not pay for this.`,
    };
  },
};
