// The rewards of the answers hardly differ any more, because nearly all are as good as the reward
// can tell. What is learnt from then on is noise, or a flaw of the reward.
//
// Threshold: the reward rose by the deviation that rewards had at the start, or more, and their
// deviation fell below 15% of it. The deviation of an honest run against a bounded reward that it
// reached to 97% fell to 41%; that of a policy that was paid for list items, to 11%.
import type { Detector } from './detector.ts';
import { shown } from './numbers.ts';

const SHARE = 0.15;
const DEVIATION = 'reward_std';

export const rewardSaturated: Detector = {
  code: 'reward-saturated',
  looksAt: 'rewards that hardly differ any more',
  applies: (history) => history.count(DEVIATION) > 0,
  check(history) {
    const [deviation, reward] = [history.medians(DEVIATION), history.medians('reward')];
    if (deviation === null || reward === null) return null;
    const rose = reward.now - reward.start >= deviation.start;
    if (!rose || !(deviation.now < SHARE * deviation.start)) return null;
    return {
      severity: 'warning',
      what: `the reward rose from ${shown(reward.start)} to ${shown(reward.now)}, and the standard deviation of rewards fell from ${shown(deviation.start)} to ${shown(deviation.now)}, so there is little left to learn from them`,
      evidence: { start: deviation.start, now: deviation.now },
      advice:
        'Stop here, or use harder prompts. keel audit --run shows whether the answers are better or only please the reward.',
    };
  },
};
