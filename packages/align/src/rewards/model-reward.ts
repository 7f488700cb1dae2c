import { existsSync, realpathSync } from 'node:fs';
import {
  baseOfAdapter,
  canonicalModelName,
  type LanguageModel,
  loadTokenizer,
  type Tokenizer,
} from '@keel/model';
import { z } from 'zod';
import { ensembleDeviation, ensembleRules } from './ensemble.ts';
import {
  type Reward,
  type RewardInput,
  type RewardOutcome,
  UnreadableInputError,
} from './reward.ts';
import { isAdapter, rewardTemplate } from './reward-member.ts';
import { type OpenRewardModelOptions, RewardModel, type RewardScore } from './reward-model.ts';
import { UnscorableRowError } from './reward-row.ts';

export const modelSchema = z
  .strictObject({
    type: z.literal('model'),
    /** Folder of a reward model, or of several adapters on one base. */
    path: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
    /** Base of adapters (default: the one that they name). */
    base: z.string().min(1).optional(),
    /** How heads and adapters are combined (default: as the first was trained, by their mean). */
    ensemble: z.enum(ensembleRules).optional(),
    /** Weight of the disagreement in `lower_bound` and `uncertainty_weighted`. */
    ensemble_k: z.number().min(0).optional(),
  })
  .refine(
    ({ ensemble: rule, ensemble_k: k }) =>
      k === undefined || rule === 'lower_bound' || rule === 'uncertainty_weighted',
    {
      path: ['ensemble_k'],
      message: 'has an effect only with ensemble: lower_bound or uncertainty_weighted',
    },
  );

export interface ModelRewardOptions extends Omit<OpenRewardModelOptions, 'model'> {
  /** A loaded model; adapters for it are applied to it. */
  base?: LanguageModel;
}

/**
 * A trained reward model as a reward. If it has several heads, each of them is an aspect, and so is
 * their standard deviation.
 * @throws as `RewardModel.open`
 */
export async function modelReward(
  { path, base, ensemble: rule, ensemble_k: k }: z.output<typeof modelSchema>,
  { base: loaded, ...others }: ModelRewardOptions = {},
): Promise<Reward> {
  const options: typeof others = {
    ...others,
    ...(rule && { ensemble: { rule, ...(k !== undefined && { k }) } }),
  };
  const shares = loaded && areOnBase([path].flat(), loaded, base);
  const model = shares
    ? await rewardModelOn(loaded, path, options)
    : await RewardModel.open(path, { ...options, ...(base && { model: base }) });
  return rewardOf(model, `model:${[path].flat().join(',')}`);
}

/** Applies reward adapters to a loaded model, with the chat template of their training. */
export const rewardModelOn = async (
  base: LanguageModel,
  path: string | readonly string[],
  options: Omit<OpenRewardModelOptions, 'model'> = {},
): Promise<RewardModel> =>
  RewardModel.on(base, path, { ...options, tokenizer: await ownTokenizer(base, path, options) });

/** A reward model as a reward, which disposes of it. */
export function rewardOf(model: RewardModel, name: string): Reward {
  return {
    name,
    async score(inputs: readonly RewardInput[], signal?: AbortSignal): Promise<RewardOutcome[]> {
      try {
        return (await model.scoreRows(inputs, signal)).map(asOutcome);
      } catch (error) {
        if (!(error instanceof UnscorableRowError)) throw error;
        const { row, reason, cause } = error;
        throw new UnreadableInputError(row, reason, { cause });
      }
    },
    async [Symbol.asyncDispose]() {
      model[Symbol.dispose]();
    },
  };
}

/** The tokenizer of adapters for a model that may be used with a different chat template. */
async function ownTokenizer(
  { name, tokenizer }: LanguageModel,
  path: string | readonly string[],
  { now }: ModelRewardOptions,
): Promise<Tokenizer> {
  const template = rewardTemplate([path].flat(), now);
  const own = await loadTokenizer(name, { template });
  return own.hash === tokenizer.hash ? tokenizer : own;
}

function asOutcome({ score, heads }: RewardScore): RewardOutcome {
  if (heads.length === 1) return { score };
  const aspects = Object.fromEntries(heads.map((value, head) => [`head_${head}`, value]));
  const [deviation] = ensembleDeviation(heads.map((value) => [value]));
  return { score, aspects: { ...aspects, deviation: deviation! } };
}

/** Whether all of these are adapters whose base is the model, by its name or its path on disk. */
function areOnBase(folders: readonly string[], { name }: LanguageModel, base?: string): boolean {
  const place = (one: string): string =>
    existsSync(one) ? realpathSync(one) : canonicalModelName(one);
  return folders.every(
    (folder) => isAdapter(folder) && place(base ?? baseOfAdapter(folder)) === place(name),
  );
}
