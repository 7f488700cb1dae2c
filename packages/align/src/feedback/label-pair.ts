// A pair's label by a judge, under principles (Bai et al. 2022, arXiv:2212.08073, section 4.1; Lee
// et al. 2023, arXiv:2309.00267, section 2.1): the probability that the first answer is better,
// averaged over both orders of the answers and over the principles.
import type { Content } from '../data/messages.ts';
import type { Judge, JudgedPair } from '../judges/judge.ts';
import { isNoVerdict } from '../judges/judgements.ts';
import type { PreferencePrinciple } from './constitution.ts';

/** Two answers to label. */
export interface UnlabelledPair extends Omit<JudgedPair, 'answers' | 'instructions'> {
  answers: readonly [Content, Content];
}

export interface PairLabel {
  /** Probability that the first answer is better; null if the judge gave no verdict at all. */
  probability: number | null;
  /** By principle, the mean over the orders that have a verdict. */
  principles: Record<string, number>;
  /** Principles for which the verdict changed with the order of the answers. */
  disagreements: number;
  /** Principles with a verdict in both orders. */
  compared: number;
  /** Verdicts that the judge did not give, by reason. */
  failed: Record<string, number>;
  /** Texts that the judge wrote as its reasons, by principle and order. */
  reasons: string[];
}

/** What a judge without words is asked by. */
const ALONE: PreferencePrinciple = { id: 'judge', preference: '' };

/**
 * @param principles asked one by one; a judge that is not asked in words is asked once instead
 * @param clamp bounds of each verdict. Reasons make verdicts too certain: 0.4 and 0.6 in the paper
 * @throws Error if the judge cannot be asked, the signal's reason once it is aborted
 */
export async function labelPair(
  judge: Pick<Judge, 'compare' | 'seesOrder' | 'isAskedInWords'>,
  { answers, ...about }: UnlabelledPair,
  {
    principles,
    clamp,
    signal,
  }: {
    principles: readonly PreferencePrinciple[];
    clamp: readonly [low: number, high: number];
    signal?: AbortSignal | undefined;
  },
): Promise<PairLabel> {
  const [a, b] = answers;
  const label: PairLabel = {
    ...{ probability: null, principles: {}, disagreements: 0, compared: 0 },
    ...{ failed: {}, reasons: [] },
  };
  const orders = judge.seesOrder ? [false, true] : [false];
  for (const { id, preference } of judge.isAskedInWords ? principles : [ALONE]) {
    const found: number[] = [];
    for (const swapped of orders) {
      const verdict = await judge.compare!(
        {
          ...about,
          answers: swapped ? [b, a] : [a, b],
          ...(preference !== '' && { instructions: preference }),
        },
        signal,
      );
      if (isNoVerdict(verdict)) {
        label.failed[verdict.failed] = (label.failed[verdict.failed] ?? 0) + 1;
        continue;
      }
      if (verdict.why !== undefined) label.reasons.push(verdict.why);
      const first = Math.min(Math.max(verdict.first, clamp[0]), clamp[1]);
      found.push(swapped ? 1 - first : first);
    }
    if (found.length === 0) continue;
    label.principles[id] = mean(found);
    if (found.length < 2) continue;
    label.compared += 1;
    if ((found[0]! - 0.5) * (found[1]! - 0.5) < 0) label.disagreements += 1;
  }
  const all = Object.values(label.principles);
  return { ...label, probability: all.length === 0 ? null : mean(all) };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
