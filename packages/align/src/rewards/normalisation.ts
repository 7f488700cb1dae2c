// Reward normalisation: scores are shifted so that a reference set (the demonstrations, or the SFT
// model's answers) has mean 0, as InstructGPT does before reinforcement learning (Ouyang et al.
// 2022, arXiv:2203.02155, section 3.5), and optionally scaled to deviation 1 on it (Ziegler et al.
// 2019, arXiv:1909.08593, section 2). It is stored with the reward model.
import { z } from 'zod';
import { RunningMoments } from './running-moments.ts';

const finite = z.number({ error: 'a finite number' });

/** What is stored: one entry for each head of the reward model, in order. */
export const rewardNormalisationSchema = z.strictObject({
  /** Number of scores of the reference set */
  count: z.int().positive(),
  /** Whether to divide by the deviation too */
  scale: z.boolean(),
  heads: z
    .array(z.strictObject({ mean: finite, standardDeviation: finite.min(0) }))
    .min(1, { error: 'at least one head' }),
});

export type RewardNormalisation = z.infer<typeof rewardNormalisationSchema>;

/**
 * Statistics of a reward model's heads on a reference set.
 * @param heads scores of the same answers, [K][N]
 * @throws RangeError without scores, for heads of different lengths, for a score that is not
 *   finite, and for scaling equal scores
 */
export function measureNormalisation(
  heads: readonly ArrayLike<number>[],
  { scale = false }: { scale?: boolean } = {},
): RewardNormalisation {
  const measured = heads.map((scores, head) => {
    const moments = new RunningMoments();
    for (let index = 0; index < scores.length; index++) moments.add(scores[index]!);
    if (scale && moments.standardDeviation === 0) {
      throw new RangeError(
        `head ${head} gives all ${moments.count} reference answers the same score, so it cannot be scaled to deviation 1`,
      );
    }
    return moments;
  });
  const count = measured[0]?.count ?? 0;
  if (count === 0 || measured.some((moments) => moments.count !== count)) {
    throw new RangeError(
      `reward normalisation needs scores of the same answers from each head, got ${measured.map((one) => one.count).join(', ') || 'no head'}`,
    );
  }
  return {
    count,
    scale,
    heads: measured.map(({ mean, standardDeviation }) => ({ mean, standardDeviation })),
  };
}

/**
 * Scores on the reference set's scale.
 * @param heads [K][N]
 * @returns [K][N]
 * @throws RangeError for a different number of heads than was measured
 */
export function normaliseRewards(
  heads: readonly ArrayLike<number>[],
  { heads: measured, scale }: RewardNormalisation,
): number[][] {
  if (heads.length !== measured.length) {
    throw new RangeError(
      `the normalisation has ${measured.length} heads, but ${heads.length} were given`,
    );
  }
  return heads.map((scores, head) => {
    const { mean, standardDeviation } = measured[head]!;
    const unit = scale ? standardDeviation : 1;
    return Array.from(scores, (score) => (score - mean) / unit);
  });
}

/** JSON for the file next to the reward model. */
export function serialiseNormalisation(normalisation: RewardNormalisation): string {
  return `${JSON.stringify(rewardNormalisationSchema.parse(normalisation), null, 2)}\n`;
}

/**
 * Reads what `serialiseNormalisation` wrote.
 * @param place source of the text, for the error
 * @throws Error naming the place and the field
 */
export function parseNormalisation(text: string, place: string): RewardNormalisation {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${place} is not valid JSON; train the reward model again`, { cause });
  }
  const result = rewardNormalisationSchema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(
    `${place} is not a reward normalisation: ${issue!.path.join('.') || 'the whole'}: ${issue!.message}; train the reward model again`,
  );
}
