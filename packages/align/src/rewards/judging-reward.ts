// A judge (judges/) as a reward: its ratings are the scores.
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../config/config-error.ts';
import { wholeAnswer } from '../data/message-text.ts';
import { isChat } from '../data/messages.ts';
import { withCache } from '../judges/cache/with-cache.ts';
import type { Judge, JudgedAnswer } from '../judges/judge.ts';
import { isNoVerdict } from '../judges/judgements.ts';
import type { JudgeOptions } from '../judges/opening/judge-kind.ts';
import { judgeKinds } from '../judges/opening/judge-kinds.ts';
import { openJudgeOf } from '../judges/opening/open-judge.ts';
import { eachInput } from './each-input.ts';
import { modelJudgeShape } from './model-judge.ts';
import type { Reward, RewardInput, RewardOutcome } from './reward.ts';

/** A reward by a judge: a spec or short form in `judge`, or a model that rates from 1 to 10. */
export const judgeSchema = z
  .strictObject({
    type: z.literal('judge'),
    ...modelJudgeShape,
    /** A judge's spec (.yaml, .json) or short form: `endpoint:MODEL`, `model:NAME`. */
    judge: z.string().min(1).optional(),
    /** Column with a good answer, which the judge sees too. */
    reference: z.string().min(1).optional(),
    /** Folder of cached ratings (default: none are cached). */
    cache: z.string().min(1).optional(),
  })
  .superRefine((spec, context) => {
    const report = (key: string, message: string): void => {
      const input = (spec as Record<string, unknown>)[key];
      context.addIssue({ code: 'custom', path: [key], message, input });
    };
    if (spec.judge === undefined) {
      if (spec.model === undefined) report('model', 'a model, or "judge" with a spec');
      if (spec.reference !== undefined) report('reference', 'only together with "judge"');
      if (spec.cache !== undefined) report('cache', 'only together with "judge"');
      return;
    }
    const { model, adapter, question } = spec;
    for (const [key, value] of Object.entries({ model, adapter, question })) {
      if (value !== undefined) report(key, 'nothing: it is part of the spec that "judge" names');
    }
  });

/** Whether the short form of a judge reward, after `judge:`, names a judge and not a model. */
export const namesJudge = (text: string): boolean =>
  /\.(ya?ml|json)$/.test(text) ||
  Object.keys(judgeKinds).some((kind) => text.startsWith(`${kind}:`));

export interface JudgingRewardSpec {
  judge: string;
  reference?: string | undefined;
  cache?: string | undefined;
}

/**
 * Opens the judge of a reward spec.
 * @param folder that its paths are relative to
 * @throws ConfigError for an invalid judge, and for one that only compares; Error as `openJudgeOf`
 */
export async function openJudgingReward(
  { judge: text, reference, cache }: JudgingRewardSpec,
  folder: string,
  options: JudgeOptions = {},
): Promise<Reward> {
  const judge = await openJudgeOf(judgeKinds, text, options, folder);
  const cached = cache === undefined ? judge : withCache(judge, join(folder, cache));
  try {
    return judgingReward(cached, { name: `judge:${text}`, reference });
  } catch (error) {
    await cached[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * A reward from a judge, which it then owns. An answer without a verdict gets no score. Aspects are
 * the scores of the criteria.
 * @throws ConfigError if the judge does not rate
 */
export function judgingReward(
  judge: Judge,
  { name, reference }: { name: string; reference?: string | undefined },
): Reward {
  if (judge.rate === undefined) {
    throw new ConfigError([
      `reward ${name}: the judge ${judge.name} only compares answers, and a reward needs ratings. Choose a judge that rates`,
    ]);
  }
  return {
    name,
    score: (inputs, signal) =>
      eachInput(
        name,
        inputs,
        async (input, own): Promise<RewardOutcome> => {
          const rating = await judge.rate!(asked(input, reference), own);
          if (isNoVerdict(rating)) return { score: null, note: `no verdict: ${rating.failed}` };
          const { score, criteria, why } = rating;
          return {
            score,
            ...(criteria && { aspects: { ...criteria } }),
            ...(why !== undefined && { note: why }),
          };
        },
        { concurrency: judge.concurrency, timeout: null, signal, detached: false },
      ),
    async [Symbol.asyncDispose]() {
      await judge[Symbol.asyncDispose]();
    },
  };
}

function asked(input: RewardInput, column: string | undefined): JudgedAnswer {
  const { prompt, completion, rendering, extra, opened = '' } = input;
  return {
    ...{ prompt, extra, answer: opened === '' ? completion : wholeAnswer(input) },
    ...(rendering && { rendering }),
    ...(column !== undefined && { reference: referenceOf(extra, column) }),
  };
}

/** @throws Error if the row has no such text */
function referenceOf(extra: RewardInput['extra'], column: string): JudgedAnswer['prompt'] {
  const found = extra[column];
  if (typeof found === 'string') return found;
  if (Array.isArray(found) && isChat(found)) return found;
  throw new Error(`the row has no text in the column "${column}", the reference of its judge`);
}
