import type { Judge, JudgedPair, NoVerdict, PairVerdict } from '@keel/align/judges';

type Verdict =
  | number
  | { first: number; tie?: number; said?: string }
  | { failed: string; transient?: boolean };

/** A judge that is a function, and counts how often it is asked. */
export function functionJudge(
  compare: (pair: JudgedPair) => Verdict | Promise<Verdict>,
  options: Partial<Pick<Judge, 'name' | 'identity' | 'seesOrder' | 'concurrency' | 'rate'>> = {},
): Judge & { asked: number } {
  return {
    name: 'function',
    identity: 'function',
    seesOrder: true,
    concurrency: 1,
    asked: 0,
    async compare(pair, signal): Promise<PairVerdict | NoVerdict> {
      signal?.throwIfAborted();
      this.asked += 1;
      const verdict = await compare(pair);
      const usage = { promptTokens: 10, answerTokens: 1, cost: 0.5 };
      if (typeof verdict === 'number') return { first: verdict, tie: 0, exchanges: [], usage };
      if ('failed' in verdict) return { ...verdict, exchanges: [], usage };
      const { first, tie = 0, said = '' } = verdict;
      return { first, tie, exchanges: [{ asked: 'which?', said }], usage };
    },
    async [Symbol.asyncDispose]() {},
    ...options,
  };
}
