// Greedy answers that were sensible before training become empty, repeat themselves, are not text,
// or are all the same.
//
// Threshold: half of the answers (a warning) or three quarters (serious). A fault does not count if
// the same prompt's answer already had it before training. Equal answers count from three prompts
// on. Short ones (a yes, a number) may be right, so they are only a warning. The third measure is
// the share of distinct words of five letters or more, over all answers, relative to before
// training. Below 60% is a warning, below 40% serious. Sound runs were at 92% to 99%. A run whose
// answers mixed the same few words, without repeating whole passages, was at 35%.
import { type AnswerFault, answerFault, distinctWords } from './answer-text.ts';
import { type Detector, lowerRate } from './detector.ts';
import type { Draft, HealthAnswer, HealthContext } from './finding.ts';
import { shown } from './numbers.ts';

const SOME = 0.5;
const MOST = 0.75;
const LEAST_PROMPTS = 3;
/** Letters of an answer that is longer than a label or a number. */
const LONG = 16;
/** Limits, relative to the share of distinct words before training. */
const POORER = 0.6;
const POOREST = 0.4;

export const degenerateAnswers: Detector = {
  code: 'degenerate-answers',
  looksAt: 'answers to the sample prompts degenerating',
  applies: ({ answers }) => answers !== null && answers.now !== null,
  check({ answers }, context) {
    if (answers === null || answers.now === null) return null;
    const { before, now } = answers;
    for (const kind of [faulty, same, poorer]) {
      const found = kind(before, now, context);
      if (found !== null) return found;
    }
    return null;
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

function poorer(
  before: readonly HealthAnswer[],
  now: readonly HealthAnswer[],
  context: HealthContext,
): Draft | null {
  const [was, is] = [before, now].map((answers) => distinctWords(answers.map(({ text }) => text)));
  if (was == null || is == null || !(is < POORER * was)) return null;
  const [first, last] = [was, is].map((share) => `${shown(100 * share)}%`);
  return {
    severity: is < POOREST * was ? 'serious' : 'warning',
    what: `the greedy answers repeat the same few words: ${last} of their longer words are distinct, ${first} before training; for example ${quoted(now)}`,
    evidence: { before: was, now: is },
    advice: `Read the answers. ${lowerRate(context)}, or fewer steps.`,
  };
}
