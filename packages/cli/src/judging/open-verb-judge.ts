import { join } from 'node:path';
import { type Judge, withCache } from '@keel/align/judges';
import { openJudge } from '@keel/evaluate';
import { cacheFolder } from '@keel/model';
import type { JudgeVerbOptions } from '../options/judge.ts';

/** What opening a judge needs of a verb's options. */
export type OpeningOptions = Pick<
  JudgeVerbOptions,
  'judge' | 'rubric' | 'judgeCache' | 'retryFailed' | 'precision' | 'device' | 'templateDate'
>;

/**
 * Opens the judge of `--judge`, with its verdicts cached; those of a panel by its members.
 * @param notice reports what is wrong with the cache or an endpoint
 * @param pass which of several passes it is, from 1: each has verdicts of its own
 */
export async function openVerbJudge(
  { judge: spec, rubric, judgeCache, retryFailed, ...options }: OpeningOptions,
  notice: (text: string) => void,
  pass = 1,
): Promise<Judge> {
  const { precision, device, templateDate } = options;
  const folder = judgeCache ?? join(cacheFolder(), 'verdicts');
  return openJudge(spec!, {
    ...{ precision, device: device as 'auto' | 'cpu', notice },
    ...(templateDate !== null && { now: templateDate }),
    ...(rubric !== null && { rubric }),
    ...(judgeCache !== 'off' && {
      wrap: (judge: Judge) => withCache(ofPass(judge, pass), folder, { retryFailed, notice }),
    }),
  });
}

/** A judge whose verdicts in this pass are not those of an earlier one. */
function ofPass(judge: Judge, pass: number): Judge {
  if (pass === 1) return judge;
  const { name, identity, concurrency, seesOrder, isAskedInWords, compare, rate } = judge;
  return {
    ...{ name, identity: `${identity}\npass ${pass}`, concurrency, seesOrder },
    ...(isAskedInWords !== undefined && { isAskedInWords }),
    ...(compare !== undefined && { compare: compare.bind(judge) }),
    ...(rate !== undefined && { rate: rate.bind(judge) }),
    [Symbol.asyncDispose]: () => judge[Symbol.asyncDispose](),
  };
}
