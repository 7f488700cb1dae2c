// Answers never end by themselves, so the reward judges truncated texts.
//
// Threshold: no answer ended in five steps in a row (serious), or 95% of the answers of ten steps
// were cut off (a warning). Five steps have at least 40 answers. An untuned model whose answers
// often exceed the limit still ends some of them.
import type { Detector } from './detector.ts';
import { mean, shown } from './numbers.ts';

const ALL_STEPS = 5;
const MOST_STEPS = 10;
const MOST = 0.95;
const NAME = 'completions/clipped_ratio';

export const allCutOff: Detector = {
  code: 'all-cut-off',
  looksAt: 'answers that are all cut off',
  applies: (history) => history.count(NAME) > 0,
  check(history) {
    const last = history.latest(NAME, ALL_STEPS);
    const many = history.latest(NAME, MOST_STEPS);
    const all = last.length === ALL_STEPS && last.every((share) => share === 1);
    if (!all && !(many.length === MOST_STEPS && mean(many) >= MOST)) return null;
    const [share, steps] = all ? [1, ALL_STEPS] : [mean(many), MOST_STEPS];
    return {
      severity: all ? 'serious' : 'warning',
      what: `${all ? 'all' : `${shown(100 * share)}% of the`} answers of ${steps} steps were cut off at --max-new-tokens`,
      evidence: { share, steps },
      advice:
        'Rewards and lengths describe truncated answers. Raise --max-new-tokens, or pass --missing-eos-penalty to reward answers that end.',
    };
  },
};
