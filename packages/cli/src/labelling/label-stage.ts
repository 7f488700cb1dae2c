// `keel label` as a stage of a recipe: its checks, and the numbers of its summary.
import { existsSync } from 'node:fs';
import { checkConstitution, type JobHooks, type JobResult, type LabelSummary } from '@keel/align';
import { checkJudge } from '@keel/evaluate';
import { setThreads } from '@keel/torch';
import type { LabelVerbOptions } from '../options/label.ts';
import { labelUnit } from './label-display.ts';
import { labelled } from './labelled.ts';

/** Checks everything if all that it needs exists; otherwise constitution and judge. */
export async function checkLabelling(
  options: LabelVerbOptions,
  pending: readonly string[],
): Promise<void> {
  const { constitution, judge } = options;
  if (pending.length === 0) {
    await labelled({ ...options, overwrite: true, dryRun: true }, { onNotice() {} });
    return;
  }
  checkConstitution(constitution, 'preferences');
  checkJudge(judge);
}

export async function labels(
  options: LabelVerbOptions,
  { signal, onNotice = () => {}, onProgress }: JobHooks,
): Promise<JobResult> {
  if (options.threads !== null) setThreads(options.threads);
  // A job that ended is not resumed: it was stopped before the recipe knew.
  const overwrite = options.overwrite || existsSync(options.output);
  const { summary } = await labelled(
    { ...options, overwrite },
    {
      ...(signal && { signal }),
      onNotice,
      onProgress: ({ pairs, total }) => onProgress?.(labelUnit(options.pairing), pairs, total),
    },
  );
  if (summary === null) return { interrupted: true, headlines: [], verdict: null };
  return { interrupted: false, headlines: headlinesOf(summary), verdict: null };
}

type Headline = JobResult['headlines'][number];

function headlinesOf(summary: LabelSummary): Headline[] {
  const { pairs, rows, tied, unlabelled, single, certainty, ratings, length } = summary;
  const one = { before: null, better: null } as const;
  const number = (label: string, value: number | null, note?: string): Headline[] =>
    value === null
      ? []
      : [{ ...one, label, unit: 'number', after: { value }, ...(note && { note }) }];
  const share = (label: string, found: LabelSummary['human']): Headline[] =>
    found === null
      ? []
      : [
          {
            ...{ ...one, label, unit: 'share', note: `${found.count} verdicts` },
            after: { value: found.value, interval: found.interval },
          },
        ];
  const left = [
    ...(tied > 0 ? [`${tied} prompts tied`] : []),
    ...(single > 0 ? [`${single} prompts with fewer than two answers`] : []),
    ...(unlabelled > 0 ? [`${unlabelled} without a verdict`] : []),
  ];
  return [
    {
      ...{ ...one, label: 'rows', unit: 'count', after: { value: rows } },
      note: [`${pairs} pairs`, ...left].join(', '),
    },
    ...(ratings === null ? number('certainty', certainty, '0: undecided, 1: certain') : []),
    ...(ratings === null ? [] : number('mean rating', ratings.all)),
    ...number('rating of chosen answers', ratings?.chosen ?? null),
    ...number('rating of rejected answers', ratings?.rejected ?? null),
    ...share('both orders agree', summary.ordersAgree),
    ...share('longer answer preferred', summary.longer),
    ...share('agrees with people', summary.human),
    ...number('length of chosen answers', length?.chosen ?? null, 'mean characters'),
    ...number('length of rejected answers', length?.rejected ?? null, 'mean characters'),
  ];
}
