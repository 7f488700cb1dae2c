// The loss grows instead of falling.
//
// Threshold: the start plus twice its size, and at least 1 above it. DPO starts at 0.69, so its
// limit is 2.1. Supervised training of an instruct model starts at 1 to 3, so its limit is 3 to 9.
// A model that guesses among 49,152 tokens has a loss of 10.8. Losses of sound runs fall, apart
// from the noise of single batches, which the median of five steps removes.
import { type Detector, lowerRate } from './detector.ts';
import { rowsOf } from './history.ts';
import { shown } from './numbers.ts';

const GROWTH = 2;
const LEAST = 1;

const limitOf = (start: number): number => start + Math.max(GROWTH * Math.abs(start), LEAST);

export const explodingLoss: Detector = {
  code: 'exploding-loss',
  looksAt: 'a loss that grows',
  // The loss of a method that samples is a surrogate, whose size has no meaning.
  applies: (history) => history.count('objective/scores') === 0 && history.count('reward') === 0,
  check(history, context) {
    if (!this.applies(history, context)) return null;
    for (const on of rowsOf) {
      const found = history.change('loss', on);
      if (found === null || !(found.now > limitOf(found.start))) continue;
      const { start, now } = found;
      return {
        severity: 'serious',
        what: `the ${on} loss grew from ${shown(start)} to ${shown(now)}`,
        evidence: { start, now },
        advice: `${lowerRate(context)}.`,
      };
    }
    return null;
  },
};
