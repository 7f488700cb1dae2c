import type { JudgeUsage, NoVerdict } from './judge.ts';

/** What a judge that is free says of its usage. */
export const noUsage: JudgeUsage = { promptTokens: 0, answerTokens: 0, cost: 0 };

/** A judge that is not asked in words has no verdict. */
export const noVerdict = (failed: string): NoVerdict => ({
  ...{ failed, exchanges: [], usage: noUsage },
});

/** Whether a judge gave no verdict. */
export const isNoVerdict = (found: object): found is NoVerdict => 'failed' in found;

/** The sum of what several judgements used. */
export const totalUsage = (all: readonly JudgeUsage[]): JudgeUsage => ({
  promptTokens: all.reduce((sum, { promptTokens }) => sum + promptTokens, 0),
  answerTokens: all.reduce((sum, { answerTokens }) => sum + answerTokens, 0),
  cost: all.reduce((sum, { cost }) => sum + cost, 0),
});

/** As `Promise.all`, but waits for all of them, so that nothing is left running after an error. */
export async function allOf<Value>(promises: readonly Promise<Value>[]): Promise<Value[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
