// A reward model on the policy's base whose adapter and head are trained while the run goes on.
import {
  adapterParameters,
  type LanguageModel,
  type Role,
  SCORE_WEIGHT,
  saveAdapter,
} from '@keel/model';
import type { Tensor } from '@keel/torch';
import type { PreferenceRow } from '../../data/rows.ts';
import { rewardModelOn, rewardOf } from '../../rewards/model-reward.ts';
import type { Reward, RewardInput, RewardOutcome } from '../../rewards/reward.ts';
import { isAdapter } from '../../rewards/reward-member.ts';
import type { OpenRewardModelOptions, RewardModel } from '../../rewards/reward-model.ts';
import { type RewardRecord, writeRewardRecord } from '../../rewards/reward-record.ts';
import { type RewardRow, UnscorableRowError } from '../../rewards/reward-row.ts';

/** Its rewards are scale * r + shift of what the model gives. */
export interface Calibration {
  scale: number;
  shift: number;
}

export class RefreshedReward implements Reward {
  readonly name: string;
  readonly model: RewardModel;
  /** Trained parameters by name, including the head. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  calibration: Calibration = { scale: 1, shift: 0 };
  readonly #reward: Reward;

  private constructor(name: string, model: RewardModel, parameters: ReadonlyMap<string, Tensor>) {
    this.name = name;
    this.model = model;
    this.parameters = parameters;
    this.#reward = rewardOf(model, name);
  }

  /**
   * @param folder of one adapter of this base, with one head that scores whole answers
   * @throws CheckpointError if it does not fit; Error if it is another kind of reward
   */
  static async open(
    base: LanguageModel,
    folder: string,
    options: Omit<OpenRewardModelOptions, 'model'>,
  ): Promise<RefreshedReward> {
    if (!isAdapter(folder)) {
      throw new Error(
        `--reward ${folder}: --refresh trains the reward model, so it must be the adapter of one (keel reward --lora). Name its folder, or remove --refresh`,
      );
    }
    const model = await rewardModelOn(base, folder, options);
    const [{ scores }] = model.records as readonly [RewardRecord];
    if (model.heads !== 1 || scores === 'steps') {
      const found = scores === 'steps' ? 'scores steps' : `has ${model.heads} heads`;
      throw new Error(
        `--reward ${folder} ${found}; --refresh takes a reward model with one head that scores whole answers`,
      );
    }
    const [role] = model.roles as readonly [Role];
    const parameters = new Map([
      ...adapterParameters(base.decoder, role),
      [SCORE_WEIGHT, base.scoreHead(role)] as const,
    ]);
    for (const one of parameters.values()) one.setRequiresGrad();
    return new RefreshedReward(`model:${folder}`, model, parameters);
  }

  get role(): Role {
    return this.model.roles[0]!;
  }

  async score(inputs: readonly RewardInput[], signal?: AbortSignal): Promise<RewardOutcome[]> {
    const { scale, shift } = this.calibration;
    const outcomes = await this.#reward.score(inputs, signal);
    return outcomes.map((outcome) => ({ ...outcome, score: scale * outcome.score! + shift }));
  }

  /** Whether the model can read both answers of a comparison: others are too long, or empty. */
  canRead(row: PreferenceRow): boolean {
    try {
      this.model.read(bothAnswers(row));
      return true;
    } catch (error) {
      if (error instanceof UnscorableRowError) return false;
      throw error;
    }
  }

  /** Writes the same files as `keel reward` writes for an adapter, with the calibration in them. */
  async save(folder: string): Promise<void> {
    const { model: base } = this.model;
    const scoreHead = this.parameters.get(SCORE_WEIGHT)!;
    const where = { baseModel: base.name, baseHash: await base.hash() };
    saveAdapter(folder, base.decoder, this.role, { ...where, scoreHead });
    this.model.saveTokenizer(folder);
    writeRewardRecord(folder, calibrated(this.model.records[0]!, this.calibration));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reward[Symbol.asyncDispose]();
  }
}

/** The answers of a comparison, each to be scored: the chosen one first. */
export const bothAnswers = ({ prompt, chosen, rejected, rendering }: PreferenceRow): RewardRow[] =>
  [chosen, rejected].map((completion) => ({
    ...{ prompt, completion },
    ...(rendering && { rendering }),
  }));

/** (s - mean) / deviation, then scale and shift, as one normalisation. */
function calibrated(record: RewardRecord, { scale, shift }: Calibration): RewardRecord {
  if (scale === 1 && shift === 0) return record;
  const { normalisation } = record;
  const { mean, standardDeviation } = normalisation?.heads[0] ?? { mean: 0, standardDeviation: 1 };
  const unit = normalisation?.scale ? standardDeviation : 1;
  const heads = [{ mean: mean - (shift * unit) / scale, standardDeviation: unit / scale }];
  return {
    ...record,
    normalisation: { count: normalisation?.count ?? 1, scale: true, heads },
  };
}
