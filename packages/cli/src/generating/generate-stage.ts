// `keel generate --output` as a stage of a recipe.
import { existsSync } from 'node:fs';
import type { JobHooks, JobResult } from '@keel/align';
import type { GenerateVerbOptions } from '../options/generate.ts';
import { askPrompts } from './ask-prompts.ts';
import { sampleAnswers } from './sample-answers.ts';

/** Checks prompts and model if both exist. @throws Error for prompts from stdin */
export async function checkGenerating(
  options: GenerateVerbOptions,
  pending: readonly string[],
): Promise<void> {
  if (options.prompt === '-') {
    throw new Error('prompt: a stage cannot read stdin. Pass prompts: with a file of rows');
  }
  if (pending.length > 0) return;
  (await askPrompts(options)).model.dispose();
}

export async function answered(
  options: GenerateVerbOptions & { output: string },
  { signal, onNotice, onProgress }: JobHooks,
): Promise<JobResult> {
  const asked = await askPrompts(options);
  using owned = new DisposableStack();
  owned.defer(() => asked.model.dispose());
  for (const note of asked.notes) onNotice?.(note);
  // A job that ended is not resumed: it was stopped before the recipe knew.
  const overwrite = options.overwrite || existsSync(options.output);
  const sampled = await sampleAnswers(
    asked,
    { ...options, overwrite },
    {
      signal,
      ...(onNotice && { onNotice }),
      onProgress: (done, total) => onProgress?.('answers', done, total),
    },
  );
  const { interrupted, rows, empty, cutOff, length } = sampled;
  if (interrupted) return { interrupted, headlines: [], verdict: null };
  const one = { before: null, better: null } as const;
  const left = empty > 0 ? `, without ${empty} empty answers` : '';
  return {
    ...{ interrupted, verdict: null },
    headlines: [
      {
        ...{ ...one, label: 'answers', unit: 'count', after: { value: rows } },
        note: `to ${asked.tokens.length} prompts${left}`,
      },
      ...(length === null
        ? []
        : [
            {
              ...one,
              label: 'tokens per answer',
              unit: 'number' as const,
              after: { value: length },
            },
            {
              ...{ ...one, label: 'cut off', unit: 'share' as const },
              after: { value: cutOff / rows },
            },
          ]),
    ],
  };
}
