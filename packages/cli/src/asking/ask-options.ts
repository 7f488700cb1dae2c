// The options of `keel ask` as those of the library: judges are opened, policies are one thing.
import type { AskOptions } from '@keel/align';
import { openVerbJudge } from '../judging/open-verb-judge.ts';
import type { AskVerbOptions } from '../options/ask.ts';

/** The judges are disposed of by whoever asks. */
export async function askOptions(
  options: AskVerbOptions & { data: string[]; output: string },
  notice: (text: string) => void,
): Promise<AskOptions> {
  const { judge, passes, policy, reference, beta, margin } = options;
  const { rubric, judgeCache, retryFailed, templateDate, ...others } = options;
  const opening = { rubric, judgeCache, retryFailed, templateDate };
  const { precision, device } = options;
  const specs = (judge ?? []).flatMap((spec) =>
    Array.from({ length: passes }, (_, at) => ({ spec, pass: at + 1 })),
  );
  const judges = [];
  for (const { spec, pass } of specs)
    judges.push(await openVerbJudge({ ...opening, precision, device, judge: spec }, notice, pass));
  return {
    ...others,
    judges: judge === null ? null : judges,
    policy: policy === null ? null : { policy, reference, beta, margin },
  };
}

/** What scoring goes through. */
export const askedUnit = ({ judge }: AskVerbOptions): 'prompts' | 'pairs' =>
  judge === null ? 'prompts' : 'pairs';
