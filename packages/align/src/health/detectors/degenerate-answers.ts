// Greedy answers that were sensible before training are empty, loop, are no text, or are all the
// same.
//
// Threshold: half of the answers (a warning) or three quarters (serious), and only faults that the
// same prompt's answer did not have before, so that a base model's habits are not blamed on the run.
// Equal answers need three prompts; short ones (a yes, a number) may be right, and are a warning.
// The share of distinct word pairs falls to half of what it was only where answers copy each other.
import { type AnswerFault, answerFault, distinctPairs } from '../answer-text.ts';
import { type Detector, lowerRate } from '../detector.ts';
import type { Draft, HealthAnswer, HealthContext } from '../finding.ts';
import { shown } from '../numbers.ts';

const SOME = 0.5;
const MOST = 0.75;
const LEAST_PROMPTS = 3;
/** Longer than a label or a number. */
const LONG = 16;
const DISTINCT_DROP = 0.5;

export const degenerateAnswers: Detector = {
  code: 'degenerate-answers',
  looksAt: 'answers to the sample prompts degenerating',
  applies: ({ answers }) => answers !== null && answers.now !== null,
  check({ answers }, context) {
    if (answers === null || answers.now === null) return null;
    const { before, now } = answers;
    return faulty(before, now, context) ?? same(before, now, context) ?? poorer(before, now);
  },
};

function faulty(
  before: readonly HealthAnswer[],
  now: readonly HealthAnswer[],
  context: HealthContext,
): Draft | null {
  const faults = now.flatMap(({ text }, at): AnswerFault[] => {
    const fault = answerFault(text);
    return fault === null || answerFault(before[at]?.text ?? '') === fault ? [] : [fault];
  });
  const share = faults.length / now.length;
  if (faults.length === 0 || share < SOME) return null;
  const kinds = [...new Set(faults)].map((kind) => `${kind} (${count(faults, kind)})`);
  return {
    severity: share >= MOST ? 'serious' : 'warning',
    what: `of ${now.length} greedy answers, ${faults.length} degenerated: ${kinds.join(', ')}; for example ${quoted(now)}`,
    evidence: { answers: now.length, degenerated: faults.length },
    advice: `The model is damaged. ${lowerRate(context)}, or fewer steps.`,
  };
}

const count = (faults: readonly AnswerFault[], kind: AnswerFault): number =>
  faults.filter((one) => one === kind).length;

const quoted = (answers: readonly HealthAnswer[]): string => {
  const text = (answers.find((one) => answerFault(one.text) !== null) ?? answers[0]!).text.trim();
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
};

function same(
  before: readonly HealthAnswer[],
  now: readonly HealthAnswer[],
  context: HealthContext,
): Draft | null {
  const distinct = (answers: readonly HealthAnswer[]): number =>
    new Set(answers.map(({ text }) => text.trim())).size;
  const prompts = new Set(now.map(({ prompt }) => prompt)).size;
  if (prompts < LEAST_PROMPTS || distinct(now) > 1 || distinct(before) === 1) return null;
  return {
    severity: now[0]!.text.trim().length > LONG ? 'serious' : 'warning',
    what: `the greedy answers to ${prompts} different prompts are all ${quoted(now)}`,
    evidence: { prompts, distinct: 1 },
    advice: `The model no longer reads its prompt, unless one answer is right for all. ${lowerRate(context)}, or fewer steps.`,
  };
}

function poorer(before: readonly HealthAnswer[], now: readonly HealthAnswer[]): Draft | null {
  const [was, is] = [before, now].map((answers) => distinctPairs(answers.map(({ text }) => text)));
  if (was == null || is == null || !(is < DISTINCT_DROP * was)) return null;
  return {
    severity: 'warning',
    what: `the greedy answers repeat themselves or each other: ${shown(100 * is)}% of their word pairs are distinct, ${shown(100 * was)}% before`,
    evidence: { before: was, now: is },
    advice:
      'Read the answers in the report. Fewer steps or a lower --learning-rate keep more variety.',
  };
}
