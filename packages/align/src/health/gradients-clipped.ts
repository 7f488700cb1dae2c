// Gradients are far above the norm at which they are clipped, step after step.
//
// Threshold: 20 steps in a row, each 100 times --max-grad-norm. AdamW divides by the gradient's
// size, so clipping by a steady factor changes little; sound DPO runs are at 1 to 30 times. At 100
// times, clipping no longer removes outliers only: it changes every update.
import { type Detector, lowerRate } from './detector.ts';
import { median, shown } from './numbers.ts';

const STEPS = 20;
const FACTOR = 100;

export const gradientsClipped: Detector = {
  code: 'gradients-clipped',
  looksAt: 'gradients that are always clipped by a large factor',
  applies: (history, { maxGradNorm }) => maxGradNorm !== null && history.count('grad_norm') > 0,
  check(history, context) {
    const { maxGradNorm } = context;
    const norms = history.latest('grad_norm', STEPS);
    if (maxGradNorm === null || norms.length < STEPS) return null;
    if (!norms.every((norm) => norm > FACTOR * maxGradNorm)) return null;
    const norm = median(norms);
    return {
      severity: 'warning',
      what: `the gradient's norm was ${shown(norm)} over ${STEPS} steps and is clipped to ${shown(maxGradNorm)}`,
      evidence: { norm, clippedTo: maxGradNorm, steps: STEPS },
      advice: `${lowerRate(context)}, or raise --max-grad-norm if the loss falls as it should.`,
    };
  },
};
