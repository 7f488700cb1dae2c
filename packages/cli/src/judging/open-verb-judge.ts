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
 */
export async function openVerbJudge(
  { judge: spec, rubric, judgeCache, retryFailed, ...options }: OpeningOptions,
  notice: (text: string) => void,
): Promise<Judge> {
  const { precision, device, templateDate } = options;
  const folder = judgeCache ?? join(cacheFolder(), 'verdicts');
  return openJudge(spec!, {
    ...{ precision, device: device as 'auto' | 'cpu', notice },
    ...(templateDate !== null && { now: templateDate }),
    ...(rubric !== null && { rubric }),
    ...(judgeCache !== 'off' && {
      wrap: (judge: Judge) => withCache(judge, folder, { retryFailed, notice }),
    }),
  });
}
