// Best-of-n from N answers to each prompt, by the unbiased estimator for every n up to N.
import { expectedOfBest } from '@keel/align/objectives';
import { bestOfNKl } from '@keel/statistics';
import type { CurvePoint } from './curve.ts';
import type { Unit } from './unit.ts';

/** A prompt's answers in order. */
export interface AnswerScores {
  gold: readonly number[];
  proxy: readonly number[];
}

/** From 1 to the number of answers, at most three for each factor of two. */
export function steadySizes(most: number): number[] {
  const sizes = [1, 2, 3, 4];
  for (let size = 4; size < most; size *= 2) sizes.push(1.5 * size, 2 * size);
  return [...new Set([...sizes, most])].filter((size) => size <= most).sort((a, b) => a - b);
}

/**
 * @param prompts all with at least as many answers as the largest size
 * @returns a point for each size, relative to the mean of a prompt's answers
 */
export function bestOfNPoints(
  prompts: readonly AnswerScores[],
  sizes: readonly number[],
  units: { gold: Unit; proxy: Unit },
): CurvePoint[] {
  return sizes.map((n) => {
    const rise = (of: 'gold' | 'proxy') =>
      prompts.map((answers) => {
        const value = expectedOfBest(answers.proxy, answers[of], n);
        return (value - mean(answers[of])) / units[of].deviation;
      });
    return {
      at: n,
      kl: prompts.map(() => bestOfNKl(n)),
      proxy: rise('proxy'),
      gold: rise('gold'),
    };
  });
}

/** Share of the pairs with different gold rewards that the proxy orders alike; null without any. */
export function agreementOf({ gold, proxy }: AnswerScores): number | null {
  let [hits, pairs] = [0, 0];
  for (const [one, better] of gold.entries()) {
    for (const [other, worse] of gold.entries()) {
      if (better <= worse) continue;
      pairs += 1;
      hits += proxy[one]! > proxy[other]! ? 1 : proxy[one] === proxy[other] ? 0.5 : 0;
    }
  }
  return pairs === 0 ? null : hits / pairs;
}

/** The mean of curves with the same points: a group's curve from those of its seeds. */
export const meanPoints = (curves: readonly (readonly CurvePoint[])[]): CurvePoint[] =>
  curves[0]!.map(({ at, kl }, point) => {
    const over = (of: 'gold' | 'proxy') =>
      kl.map((_, prompt) => mean(curves.map((own) => own[point]![of][prompt]!)));
    return { at, kl, proxy: over('proxy'), gold: over('gold') };
  });

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, one) => sum + one, 0) / values.length;
