// `keel best-of-n` as a stage of a recipe.
import { existsSync } from 'node:fs';
import { type JobHooks, type JobResult, runBestOfN } from '@keel/align';
import { samplingOptions } from '../generating/sampling.ts';
import type { BestOfNVerbOptions } from '../options/best-of-n.ts';

/** Checks everything if all that it needs exists. */
export async function checkBestOfN(
  options: BestOfNVerbOptions,
  pending: readonly string[],
): Promise<void> {
  if (pending.length > 0) return;
  const sampling = samplingOptions(options);
  await runBestOfN({ ...options, sampling, overwrite: true, dryRun: true });
}

export async function bestOf(
  options: BestOfNVerbOptions,
  { signal, onNotice, onProgress }: JobHooks,
): Promise<JobResult> {
  // A job that ended is not resumed: it was stopped before the recipe knew.
  const overwrite = options.overwrite || existsSync(options.output);
  const { summary, rows } = await runBestOfN(
    { ...options, overwrite, sampling: samplingOptions(options) },
    {
      ...(signal && { signal }),
      ...(onNotice && { onNotice }),
      onProgress: ({ answers, total }) => onProgress?.('answers', answers, total),
    },
  );
  if (summary === null) return { interrupted: true, headlines: [], verdict: null };
  const [first, last] = [summary.curve[0], summary.curve.at(-1)];
  return {
    ...{ interrupted: false, verdict: null },
    headlines: [
      {
        ...{ label: 'rows', unit: 'count', before: null, better: null, after: { value: rows } },
        note: `${summary.answers} answers to ${summary.prompts} prompts`,
      },
      ...(first === undefined || last === undefined
        ? []
        : [
            {
              ...{ label: `reward, best of ${last.k}`, unit: 'number' as const },
              ...{ before: { value: first.reward }, better: 'higher' as const },
              after: { value: last.reward, interval: last.interval },
              note: 'before: mean of all answers',
            },
          ]),
    ],
  };
}
