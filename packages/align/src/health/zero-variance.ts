// All answers to a prompt get the same reward, so none of them is preferred.
//
// Threshold: ten steps in a row with 90% of the groups without variance (a warning), or with all of
// them (serious). A hard task starts near 90% and falls. Ten steps of 8 prompts are 80 groups; a
// task with one solvable prompt in twenty would have variance in four of them.
import type { Detector } from './detector.ts';
import type { Draft } from './finding.ts';
import { mean, shown } from './numbers.ts';

const STEPS = 10;
const SHARE = 0.9;
const SHARE_NAME = 'frac_reward_zero_std';
const DEVIATION = 'reward_std';
/** Rewards of equal answers may differ in their last bits. */
const EQUAL = 1e-8;

export const zeroVariance: Detector = {
  code: 'zero-variance-groups',
  looksAt: 'groups of answers whose rewards do not differ',
  applies: (history) => history.count(SHARE_NAME) > 0 || history.count(DEVIATION) > 0,
  check(history): Draft | null {
    const advice =
      'Check the reward on some answers of samples.jsonl. If it is right, use prompts of another difficulty, more --num-generations or a higher --temperature.';
    const deviations = history.latest(DEVIATION, STEPS);
    if (deviations.length === STEPS && deviations.every((one) => one <= EQUAL)) {
      return {
        severity: 'serious',
        what: `every answer of ${STEPS} steps got the same reward, so there is nothing to learn`,
        evidence: { steps: STEPS, deviation: Math.max(...deviations) },
        advice,
      };
    }
    const shares = history.latest(SHARE_NAME, STEPS);
    if (shares.length < STEPS) return null;
    const share = mean(shares);
    if (!(share >= SHARE)) return null;
    return {
      severity: share === 1 ? 'serious' : 'warning',
      what: `in ${shown(100 * share)}% of the prompts of ${STEPS} steps, all answers got the same reward, so they have no gradient`,
      evidence: { share, steps: STEPS },
      advice,
    };
  },
};
