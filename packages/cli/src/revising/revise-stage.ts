// `keel revise` as a stage of a recipe: its checks, and the numbers of its summary.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  checkConstitution,
  type JobHooks,
  type JobResult,
  type RevisionSummary,
  runRevise,
} from '@keel/align';
import { samplingOptions } from '../generating/sampling.ts';
import type { ReviseVerbOptions } from '../options/revise.ts';

/** Checks everything if all that it needs exists; otherwise the constitution. */
export async function checkRevising(
  options: ReviseVerbOptions,
  pending: readonly string[],
): Promise<void> {
  if (pending.length > 0) return checkConstitution(options.constitution, 'critiques');
  const sampling = samplingOptions(options);
  await runRevise({ ...options, sampling, overwrite: true, dryRun: true });
}

export async function revised(
  options: ReviseVerbOptions,
  { signal, onNotice, onProgress }: JobHooks,
): Promise<JobResult> {
  // A job that ended is not resumed: it was stopped before the recipe knew.
  const overwrite = options.overwrite || existsSync(join(options.output, 'lineage.jsonl'));
  const { summary } = await runRevise(
    { ...options, overwrite, sampling: samplingOptions(options) },
    {
      ...(signal && { signal }),
      ...(onNotice && { onNotice }),
      onProgress: ({ prompts, total, current }) =>
        onProgress?.('prompts', Math.floor(prompts + current), total),
    },
  );
  if (summary === null) return { interrupted: true, headlines: [], verdict: null };
  return { interrupted: false, headlines: headlinesOf(summary), verdict: null };
}

function headlinesOf(summary: RevisionSummary): JobResult['headlines'] {
  const { rounds, dropped, supervised, preferences, prompts, length } = summary;
  const all = Object.values(rounds).reduce((sum, count) => sum + count, 0);
  const reasons = Object.entries(dropped).sort(([, a], [, b]) => b - a);
  const one = { before: null, better: null } as const;
  const share = (label: string, count: number, note: string) => ({
    ...{ ...one, label, unit: 'share' as const, note },
    after: { value: all === 0 ? 0 : count / all },
  });
  const unusable = rounds['no critique'] + rounds['no revision'];
  return [
    share('revised', rounds.revised, `${all} critiques of ${prompts} answers`),
    share('nothing to change', rounds['nothing to change'], `${all} critiques`),
    share(
      'dropped',
      unusable,
      reasons.map(([why, count]) => `${why}: ${count}`).join('; ') || 'none',
    ),
    { ...one, label: 'rows for sft', unit: 'count', after: { value: supervised } },
    { ...one, label: 'rows for dpo', unit: 'count', after: { value: preferences } },
    ...(length === null
      ? []
      : [
          {
            ...{ label: 'answer length', unit: 'number' as const, better: null },
            ...{ before: { value: length.answer }, after: { value: length.final } },
            note: 'mean characters, before and after revision',
          },
        ]),
  ];
}
