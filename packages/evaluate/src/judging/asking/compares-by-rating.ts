// Lets a judge that only rates compare: the answer with the higher score wins.
import type { Judge, JudgedPair, NoVerdict, PairVerdict } from '@keel/align/judges';

/** What comparing needs of a judge. */
export type Comparing = Pick<Judge, 'seesOrder'> & Required<Pick<Judge, 'compare'>>;

/** @throws Error if the judge neither compares nor rates */
export function comparesByRating(judge: Judge): Comparing {
  const { rate } = judge;
  if (judge.compare !== undefined) {
    return { seesOrder: judge.seesOrder, compare: judge.compare.bind(judge) };
  }
  if (rate === undefined) throw new Error(`the judge ${judge.name} neither compares nor rates`);
  return {
    seesOrder: false,
    async compare({ answers, ...prompt }: JudgedPair, signal): Promise<PairVerdict | NoVerdict> {
      const first = await rate.call(judge, { ...prompt, answer: answers[0] }, signal);
      const second = await rate.call(judge, { ...prompt, answer: answers[1] }, signal);
      const both = [first, second];
      const common = {
        exchanges: both.flatMap(({ exchanges }) => exchanges),
        usage: {
          promptTokens: first.usage.promptTokens + second.usage.promptTokens,
          answerTokens: first.usage.answerTokens + second.usage.answerTokens,
          cost: first.usage.cost + second.usage.cost,
        },
      };
      if ('failed' in first) return { ...common, failed: first.failed };
      if ('failed' in second) return { ...common, failed: second.failed };
      const lead = Math.sign(first.score - second.score);
      return {
        ...common,
        why: `scores ${first.score} and ${second.score}`,
        first: (1 + lead) / 2,
        tie: lead === 0 ? 1 : 0,
      };
    },
  };
}
