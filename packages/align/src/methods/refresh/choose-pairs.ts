import { shuffledOrder } from '../../data/shuffle.ts';

/** The answers to a prompt in a rollout batch, with their rewards. */
export interface Answered {
  /** Place of the prompt in the data. */
  row: number;
  answers: { text: string; reward: number }[];
}

/** Two answers to be compared. */
export interface ChosenPair {
  row: number;
  /** The answer that the reward likes best, and another one. */
  texts: readonly [string, string];
}

/**
 * At most `most` pairs, of random prompts: to each, the answer with the highest reward, which is
 * where a policy goes, and a random other one.
 * @returns fewer where prompts have only one answer
 */
export function choosePairs(
  answered: readonly Answered[],
  most: number,
  seed: number,
): ChosenPair[] {
  const able = answered.flatMap(({ row, answers }, place) => {
    const best = answers.reduce((top, one) => (one.reward > top.reward ? one : top), answers[0]!);
    const others = answers.filter(({ text }) => text !== best.text);
    if (others.length === 0) return [];
    const other = others[shuffledOrder(others.length, seed, place + 1)[0]!]!;
    return [{ row, texts: [best.text, other.text] as const }];
  });
  const order = shuffledOrder(able.length, seed, 0);
  return [...order].slice(0, most).map((at) => able[at]!);
}
