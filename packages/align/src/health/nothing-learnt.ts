// The run ends as it started.
//
// Threshold: at least five steps, the same greedy answers before and after (if there are any), and
// an unchanged loss. On held-out rows, unchanged means by less than a thousandth. On training rows,
// which differ, it means by less than the standard error of up to ten steps at each end. Methods
// that sample use a KL to the reference below 0.01 nats per answer instead of the loss. Without a
// reference, only the answers are compared.
import type { Detector } from './detector.ts';
import type { HealthContext } from './finding.ts';
import type { RunHistory } from './history.ts';
import { mean, shown } from './numbers.ts';

const LEAST_STEPS = 5;
const RELATIVE = 1e-3;
const KL = 0.01;
/** Most steps to compare at each end, and the fewest that give a standard error. */
const HALF = 10;
const LEAST_HALF = 4;

export const nothingLearnt: Detector = {
  code: 'nothing-learnt',
  looksAt: 'nothing learnt',
  applies: (history) => history.step >= LEAST_STEPS && history.count('loss') > 0,
  atEnd: true,
  check(history, { learningRate }: HealthContext) {
    if (!this.applies(history, { learningRate, maxGradNorm: null, maxKl: null })) return null;
    if (answersChanged(history)) return null;
    const still = history.count('reward') > 0 ? sameKl(history) : sameLoss(history);
    if (still === null) return null;
    return {
      severity: 'warning',
      what: `nothing was learnt in ${history.step} steps: ${still.what}`,
      evidence: still.evidence,
      advice: `The learning rate is ${learningRate}. Raise it, train for more steps, or check that the data differ from what the model already does.`,
    };
  },
};

function answersChanged({ answers }: RunHistory): boolean {
  if (answers === null || answers.now === null) return false;
  return answers.now.some(({ text }, at) => text !== answers.before[at]?.text);
}

interface Still {
  what: string;
  evidence: Record<string, number>;
}

function sameLoss(history: RunHistory): Still | null {
  const found = history.change('loss', 'held-out');
  if (found !== null) {
    const { start, now } = found;
    if (!(Math.abs(now - start) < RELATIVE * Math.abs(start))) return null;
    return {
      what: `the held-out loss was ${shown(start)} before and is ${shown(now)}`,
      evidence: { start, now },
    };
  }
  const half = Math.min(HALF, Math.floor(history.count('loss') / 2));
  if (half < LEAST_HALF) return null;
  const [first, latest] = [history.first('loss').slice(0, half), history.latest('loss', half)];
  const [start, now] = [mean(first), mean(latest)];
  const error = Math.hypot(standardError(first), standardError(latest));
  if (Math.abs(now - start) > Math.max(error, RELATIVE * Math.abs(start))) return null;
  return {
    what: `the training loss was ${shown(start)} at the start and is ${shown(now)}`,
    evidence: { start, now, standardError: error },
  };
}

function sameKl(history: RunHistory): Still | null {
  const latest = history.latest('objective/kl', LEAST_STEPS);
  if (latest.length < LEAST_STEPS) return sameAnswers(history);
  const kl = mean(latest);
  if (!(Math.abs(kl) < KL)) return null;
  return {
    what: `the KL to the model before training is ${shown(kl)} nats per answer`,
    evidence: { kl },
  };
}

/** Without a reference, only the answers show it. */
function sameAnswers({ answers }: RunHistory): Still | null {
  if (answers === null || answers.now === null) return null;
  const count = answers.now.length;
  return { what: `the greedy answers to ${count} prompts are as before`, evidence: { count } };
}

function standardError(values: readonly number[]): number {
  const centre = mean(values);
  const variance = values.reduce((sum, one) => sum + (one - centre) ** 2, 0) / (values.length - 1);
  return Math.sqrt(variance / values.length);
}
