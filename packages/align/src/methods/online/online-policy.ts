// What an online run has in memory: one base with the roles policy, reference, value and, where it
// fits, reward.
import { loadAdapter, type Role } from '@keel/model';
import { templateSettings } from '../../config/template-options.ts';
import { MovingReference, movingOptions } from '../../reference/moving-reference.ts';
import { openReward } from '../../rewards/open-reward.ts';
import type { Reward } from '../../rewards/reward.ts';
import { loadPolicy, type Policy } from '../../training/policy.ts';
import { Discriminator } from '../d2po/discriminator.ts';
import { addCritic } from '../ppo/critic.ts';
import type { OnlineOptions } from './online-settings.ts';

/** The policy as it starts, where that is an adapter. */
const START = 'start';

export interface OnlinePolicy extends Policy {
  /** The policy before training. */
  referenceRole: Role;
  /** What training compares with, where that follows the policy. */
  movingReference: MovingReference | null;
  /** Role whose head gives values; null: no critic. */
  valueRole: Role | null;
  /** Labels pairs where the reward labels few; null: none. */
  discriminator: Discriminator | null;
  reward: Reward;
}

/**
 * Loads the base once, lays the roles over it and opens the reward.
 * @param owned disposes of the reward at the end of the run
 * @throws CheckpointError, ConfigError, Error as `loadPolicy` and `openReward` do
 */
export async function loadOnlinePolicy(
  options: OnlineOptions,
  owned: AsyncDisposableStack,
): Promise<OnlinePolicy> {
  const loaded = await loadPolicy(options);
  try {
    const { model, role, parameters, precision } = loaded;
    if (options.adapter !== null) loadAdapter(model.decoder, options.adapter, START);
    const moving = 'referenceSyncSteps' in options ? movingOptions(options) : null;
    const movingReference = moving && new MovingReference(model, role, moving);
    const critic = 'critic' in options ? addCritic(model, role, options) : null;
    const discriminator =
      'goldShare' in options ? owned.use(Discriminator.add(model, options)) : null;
    const reward = owned.use(
      await openReward(options.reward, {
        // A base that is trained would be a reward that changes.
        ...(options.lora && { base: model }),
        emptyAnswers: 'score',
        tokenizer: options.model,
        precision,
        device: model.device as 'cpu',
        unsafeCode: options.unsafeCode,
        now: templateSettings(options).now,
        calls: { concurrency: options.rewardConcurrency, timeout: options.rewardTimeout },
      }),
    );
    return {
      ...loaded,
      parameters: new Map([...parameters, ...(critic?.parameters ?? [])]),
      referenceRole: options.adapter === null ? 'reference' : START,
      movingReference,
      valueRole: critic?.role ?? null,
      discriminator,
      reward,
    };
  } catch (error) {
    loaded[Symbol.dispose]();
    throw error;
  }
}
