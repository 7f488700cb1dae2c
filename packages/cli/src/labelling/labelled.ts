import { type LabelHooks, type LabelResult, runLabel } from '@keel/align';
import { comparesByRating } from '@keel/evaluate';
import { openVerbJudge } from '../judging/open-verb-judge.ts';
import type { LabelVerbOptions } from '../options/label.ts';

/** Opens the judge and labels. @throws as `runLabel` and `openVerbJudge` */
export async function labelled(
  options: LabelVerbOptions,
  hooks: LabelHooks & { onNotice(text: string): void },
): Promise<LabelResult> {
  const { clamp } = options;
  await using judge = comparesByRating(await openVerbJudge(options, hooks.onNotice));
  const bounds = clamp === null ? ([0, 1] as const) : ([clamp[0]!, clamp[1]!] as const);
  return await runLabel({ ...options, judge, clamp: bounds }, hooks);
}
