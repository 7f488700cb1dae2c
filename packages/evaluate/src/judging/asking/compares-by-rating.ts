// Lets a judge that only rates compare: the answer with the higher score wins.
import {
  isNoVerdict,
  type Judge,
  type JudgedPair,
  type NoVerdict,
  type PairVerdict,
  totalUsage,
} from '@keel/align/judges';

/** A judge that compares. */
export type Comparing = Judge & Required<Pick<Judge, 'compare'>>;

/**
 * The judge itself if it compares; otherwise one that compares by its ratings.
 * @throws Error if the judge neither compares nor rates
 */
export function comparesByRating(judge: Judge): Comparing {
  if (judge.compare !== undefined) return judge as Comparing;
  if (judge.rate === undefined) {
    throw new Error(`the judge ${judge.name} neither compares nor rates`);
  }
  const rate = judge.rate.bind(judge);
  const { name, identity, concurrency } = judge;
  return {
    ...{ name, identity, concurrency, rate },
    seesOrder: false,
    async compare({ answers, ...prompt }: JudgedPair, signal): Promise<PairVerdict | NoVerdict> {
      const first = await rate({ ...prompt, answer: answers[0] }, signal);
      const second = await rate({ ...prompt, answer: answers[1] }, signal);
      const common = {
        exchanges: [...first.exchanges, ...second.exchanges],
        usage: totalUsage([first.usage, second.usage]),
      };
      const failures = [first, second].filter(isNoVerdict);
      if (isNoVerdict(first) || isNoVerdict(second)) {
        const again = failures.every(({ transient }) => transient) && { transient: true };
        return { ...common, failed: failures[0]!.failed, ...again };
      }
      const lead = Math.sign(first.score - second.score);
      return {
        ...common,
        why: `scores ${Number(first.score.toPrecision(6))} and ${Number(second.score.toPrecision(6))}`,
        first: (1 + lead) / 2,
        tie: lead === 0 ? 1 : 0,
      };
    },
    [Symbol.asyncDispose]: () => judge[Symbol.asyncDispose](),
  };
}
