// The properties of a reward model that its weights do not contain: reward.json in its folder.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../files/atomic-write.ts';
import { combineEnsemble, ensembleRules } from './ensemble.ts';
import { normaliseRewards, rewardNormalisationSchema } from './normalisation.ts';

const FILE = 'reward.json';

const schema = z.strictObject({
  version: z.literal(1),
  /** `answers`: one score per answer; `steps`: one per step, the log-odds that it is right. */
  scores: z.enum(['answers', 'steps']),
  /** Where a score is read; see `ReadOptions`. */
  read_at: z.enum(['last', 'last_not_pad']),
  /** The token that `last_not_pad` skips; other tools use it for padding. */
  pad_token_id: z.int().min(0).nullable(),
  step_separator: z.string(),
  /** The variables that the chat template was rendered with, as JSON. */
  chat_template_kwargs: z.string().optional(),
  ensemble: z.strictObject({ rule: z.enum(ensembleRules), k: z.number() }),
  /** null: scores are used as the heads return them. */
  normalisation: rewardNormalisationSchema.nullable(),
});

export type RewardRecord = z.infer<typeof schema>;

export function writeRewardRecord(folder: string, record: RewardRecord): void {
  writeFileAtomic(join(folder, FILE), `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * The record of a reward model.
 * @returns null if there is none: Keel did not save the model
 * @throws Error naming the file and the field
 */
export function readRewardRecord(folder: string): RewardRecord | null {
  const path = join(folder, FILE);
  if (!existsSync(path)) return null;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path} is not valid JSON; train the reward model again, or remove the file`, {
      cause,
    });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(
    `${path}: ${issue!.path.join('.') || 'the whole'}: ${issue!.message}; the file is damaged, or from another version of Keel`,
  );
}

/**
 * One reward per answer: normalised, then combined over the heads.
 * @param heads scores of the same answers, [K][N]
 * @returns [N], and the normalised scores of each head, [K][N]
 */
export function rewardsOf(
  heads: readonly ArrayLike<number>[],
  { ensemble, normalisation }: Pick<RewardRecord, 'ensemble' | 'normalisation'>,
): { rewards: number[]; heads: number[][] } {
  const own =
    normalisation === null
      ? heads.map((scores) => Array.from(scores))
      : normaliseRewards(heads, normalisation);
  return { rewards: combineEnsemble(own, ensemble.rule, ensemble.k), heads: own };
}
