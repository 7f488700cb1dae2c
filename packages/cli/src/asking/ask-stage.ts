// `keel ask` as a stage of a recipe: its checks, and the numbers of its summary.
import { dirname } from 'node:path';
import { type AskSummary, type JobHooks, type JobResult, runAsk } from '@keel/align';
import { makeFolder } from '@keel/model';
import { setThreads } from '@keel/torch';
import type { AskVerbOptions } from '../options/ask.ts';

/** Checks everything if all that it needs exists; a reward model of an earlier stage does not. */
export async function checkAsking(
  options: AskVerbOptions,
  pending: readonly string[],
): Promise<void> {
  if (pending.length > 0) return;
  await runAsk({ ...options, overwrite: true, dryRun: true }, { onNotice() {} });
}

export async function asked(
  options: AskVerbOptions,
  { signal, onNotice = () => {}, onProgress }: JobHooks,
): Promise<JobResult> {
  if (options.threads !== null) setThreads(options.threads);
  makeFolder(dirname(options.output));
  // It writes nothing before its end, so what an interrupted stage left is replaced.
  const { summary } = await runAsk(
    { ...options, overwrite: true },
    {
      ...(signal && { signal }),
      onNotice,
      onProgress: ({ done, total }) => onProgress?.('prompts', done, total),
    },
  );
  if (summary === null) return { interrupted: true, headlines: [], verdict: null };
  return { interrupted: false, headlines: headlinesOf(summary), verdict: null };
}

function headlinesOf({ rows, random, prompts, by, mean }: AskSummary): JobResult['headlines'] {
  const one = { before: null, better: null } as const;
  const number = (label: string, value: number, note: string) => ({
    ...{ ...one, label, unit: 'number' as const, after: { value }, note },
  });
  return [
    {
      ...{ ...one, label: 'pairs', unit: 'count', after: { value: rows } },
      note: `of ${prompts} prompts, ${random} of them random`,
    },
    number(`mean ${by}`, mean.all, 'of all pairs'),
    ...(mean.chosen === null
      ? []
      : [number(`mean ${by} of chosen pairs`, mean.chosen, 'of those chosen by it')]),
  ];
}
