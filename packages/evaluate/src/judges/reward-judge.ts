// A reward as a judge.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@keel/align';
import {
  type Judge,
  type JudgedAnswer,
  type JudgedPrompt,
  type JudgeOptions,
  noUsage,
  noVerdict,
} from '@keel/align/judges';
import {
  openReward,
  type Reward,
  RewardError,
  type RewardOutcome,
  rewardFiles,
  scoresLogOdds,
} from '@keel/align/rewards';
import { z } from 'zod';

export const rewardJudgeSchema = z.strictObject({
  type: z.literal('reward'),
  /** Its name in results (default: the reward's). */
  name: z.string().min(1).optional(),
  /** A reward spec, or the short form of a reward. */
  reward: z.string().min(1),
  /**
   * How scores become a verdict: `sigmoid` of their difference, or its `sign` (default: sigmoid for
   * a single reward model, otherwise sign).
   */
  compare_by: z.enum(['sigmoid', 'sign']).optional(),
});

export type RewardJudgeSpec = z.output<typeof rewardJudgeSchema>;

/**
 * A judge whose ratings are a reward's scores.
 * @param folder that paths are relative to
 * @throws as `openReward`
 */
export async function openRewardJudge(
  spec: RewardJudgeSpec,
  folder: string,
  options: JudgeOptions = {},
): Promise<Judge> {
  const beside = join(folder, spec.reward);
  const text = existsSync(beside) ? beside : spec.reward;
  return inJudgeWords(() => opened(spec, text, options));
}

/** Faults of a reward name the option that it usually comes from. */
async function inJudgeWords<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map((one) => one.replace(/^--reward /, 'judge reward:'));
    throw new ConfigError(problems, { cause: error });
  }
}

async function opened(spec: RewardJudgeSpec, text: string, options: JudgeOptions): Promise<Judge> {
  const by = spec.compare_by ?? (scoresLogOdds(text) ? 'sigmoid' : 'sign');
  const files = await rewardFiles(text);
  const { precision, device, now } = options;
  const reward = await openReward(text, {
    ...(precision && { precision }),
    ...(device && { device }),
    ...(now && { now }),
    emptyAnswers: 'score',
  });
  const identity = JSON.stringify(['reward 1', text, by, files.map(({ sha256 }) => sha256)]);
  return rewardJudge(reward, {
    name: spec.name ?? reward.name,
    identity: createHash('sha256').update(identity).digest('hex'),
    by,
  });
}

interface RewardJudgeOptions {
  name: string;
  identity: string;
  by: 'sigmoid' | 'sign';
}

/** A judge from a reward, which it then owns. */
export function rewardJudge(reward: Reward, { name, identity, by }: RewardJudgeOptions): Judge {
  const score = async (
    asked: JudgedPrompt,
    answers: readonly JudgedAnswer['answer'][],
    signal?: AbortSignal,
  ): Promise<RewardOutcome[] | string> => {
    const { prompt, rendering, extra } = asked;
    const about = { prompt, extra, ...(rendering && { rendering }) };
    try {
      return await reward.score(
        answers.map((completion) => ({ ...about, completion })),
        signal,
      );
    } catch (error) {
      // The row is at fault, not the reward.
      if (error instanceof RewardError) return error.message;
      throw error;
    }
  };
  return {
    ...{ name, identity },
    // A model's pass depends on nothing but the pair.
    concurrency: reward.concurrent ? 8 : 1,
    seesOrder: false,
    async compare({ answers, ...asked }, signal) {
      const found = await score(asked, answers, signal);
      if (typeof found === 'string') return noVerdict(found);
      const [first, second] = found.map((outcome) => outcome.score);
      if (first === null || second === null) return unscored(found);
      const lead = first! - second!;
      return {
        first: by === 'sigmoid' ? 1 / (1 + Math.exp(-lead)) : (Math.sign(lead) + 1) / 2,
        tie: by === 'sign' && lead === 0 ? 1 : 0,
        why: `scores ${Number(first!.toPrecision(6))} and ${Number(second!.toPrecision(6))}`,
        exchanges: [],
        usage: noUsage,
      };
    },
    async rate({ answer, ...asked }, signal) {
      const found = await score(asked, [answer], signal);
      if (typeof found === 'string') return noVerdict(found);
      const [{ score: value, aspects, note }] = found as [RewardOutcome];
      if (value === null) return unscored(found);
      return {
        score: value,
        ...(aspects && { criteria: aspects }),
        ...(note !== undefined && { why: note }),
        exchanges: [],
        usage: noUsage,
      };
    },
    [Symbol.asyncDispose]: () => reward[Symbol.asyncDispose](),
  };
}

const unscored = (outcomes: readonly RewardOutcome[]) => {
  const notes = outcomes.flatMap(({ note }) => note ?? []);
  return noVerdict(`the reward gave no score${notes.length === 0 ? '' : `: ${notes.join('; ')}`}`);
};
