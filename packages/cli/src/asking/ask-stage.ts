// `keel ask` as a stage of a recipe: its checks, and the numbers of its summary.
import { dirname } from 'node:path';
import { type AskSummary, type JobHooks, type JobResult, runAsk } from '@keel/align';
import { makeFolder } from '@keel/model';
import { setThreads } from '@keel/torch';
import type { AskVerbOptions } from '../options/ask.ts';
import { askedUnit, askOptions } from './ask-options.ts';

/** Checks everything if all that it needs exists; a reward model of an earlier stage does not. */
export async function checkAsking(
  options: AskVerbOptions,
  pending: readonly string[],
): Promise<void> {
  if (pending.length > 0) return;
  const given = await askOptions(inStage(options), () => {});
  await runAsk({ ...given, overwrite: true, dryRun: true }, { onNotice() {} });
}

/** @throws Error for a project: a recipe works on files */
function inStage(options: AskVerbOptions): AskVerbOptions & { data: string[]; output: string } {
  const { data, output, project } = options;
  if (data === null || output === null || project !== null)
    throw new Error('project: a stage of a recipe asks about rows. Name them with data');
  return { ...options, data, output };
}

export async function asked(
  options: AskVerbOptions,
  { signal, onNotice = () => {}, onProgress }: JobHooks,
): Promise<JobResult> {
  if (options.threads !== null) setThreads(options.threads);
  const staged = inStage(options);
  makeFolder(dirname(staged.output));
  // It writes nothing before its end, so what an interrupted stage left is replaced.
  const { summary } = await runAsk(
    { ...(await askOptions(staged, onNotice)), overwrite: true },
    {
      ...(signal && { signal }),
      onNotice,
      onProgress: ({ done, total }) => onProgress?.(askedUnit(options), done, total),
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
