// A suite's code task: answers are programs, which tests run in the sandbox.

import { DataError } from '@keel/align';
import { ConfigError } from '@keel/align/config';
import { type CodeSpec, codeReward } from '@keel/align/rewards';
import { plainNumbers } from '@keel/model/exact-json';
import { passAtK } from '@keel/statistics';
import type { Doc, Docs } from '../rows/docs.ts';
import { runGeneration } from '../tasks/generation.ts';
import { meanOf, shareOf } from '../tasks/metrics.ts';
import type { Item } from '../tasks/task.ts';
import { promptsOf, settingsOf } from './generating.ts';
import { type Prompt, renderPrompt } from './prompts.ts';
import type { SpecOf } from './suite-schema.ts';
import type { OpenTaskOptions, TaskParts } from './task-parts.ts';

interface Request {
  prompt: Prompt;
  /** The row's tests and its other fields. */
  extra: Readonly<Record<string, unknown>>;
}

export async function openCode(
  spec: SpecOf<'code'>,
  place: string,
  all: Docs,
  docs: readonly Doc[],
  { unsafeCode }: OpenTaskOptions,
): Promise<TaskParts> {
  const most = Math.max(...spec.k);
  if (most > spec.samples) {
    throw new ConfigError([
      `${place}: k: pass@${most} needs at least ${most} samples, found samples: ${spec.samples}`,
    ]);
  }
  const isolation: Partial<CodeSpec> = unsafeCode ? { isolation: 'none' } : {};
  const reward = await codeReward({ type: 'code', ...spec.tests, ...isolation } as CodeSpec);
  const promptOf = promptsOf(spec, place, all);
  const items = docs.map(
    (doc): Item<Request> => ({
      doc,
      request: { prompt: promptOf(doc), extra: plainNumbers(doc.row) },
    }),
  );
  const score = async (
    answers: readonly string[],
    { doc, request }: Item<Request>,
    signal: AbortSignal,
  ) => {
    const { prompt, extra } = request;
    const inputs = answers.map((completion) => ({ prompt: prompt.content, completion, extra }));
    try {
      return await reward.score(inputs, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new DataError({ ...doc.place, found: (error as Error).message }, { cause: error });
    }
  };
  return {
    items,
    metrics: [
      ...spec.k.map((k) => shareOf(`pass@${k}`)),
      { ...meanOf('cut_off', false), share: true },
    ],
    filters: ['none'],
    run: (asked, subject, hooks) =>
      runGeneration(
        asked as typeof items,
        subject,
        {
          settings: settingsOf(spec),
          render: ({ request }, { tokenizer }) => renderPrompt(request.prompt, tokenizer),
          judge: async (answers, item, signal) => {
            const outcomes = await score(answers, item, signal);
            const passed = outcomes.filter((one) => one.score === 1).length;
            const attempts = { samples: answers.length, passed };
            const note = outcomes.find((one) => one.note !== undefined)?.note;
            return {
              values: Object.fromEntries(spec.k.map((k) => [`pass@${k}`, passAtK(attempts, k)])),
              target: '',
              filtered: { none: [...answers] },
              ...(note !== undefined && { note }),
            };
          },
        },
        hooks,
      ),
  };
}
