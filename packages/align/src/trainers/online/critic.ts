// The critic of an online run: a scalar head on the base, on an adapter of its own or on the policy's.
import {
  addLora,
  type LanguageModel,
  loadAdapter,
  loadAdapterHead,
  type Role,
  SCORE_WEIGHT,
} from '@keel/model';
import { noGrad, type Tensor, zeros } from '@keel/torch';
import type { PpoOptions } from '../../config/ppo-options.ts';
import { loraOptionsOf } from '../policy.ts';

/** The critic's adapter. */
const VALUE = 'value';

export interface Critic {
  /** Role whose head gives the values. */
  role: Role;
  /** What it trains beside the policy's parameters, by name. */
  parameters: Map<string, Tensor>;
}

/**
 * Gives a model a critic whose values begin at 0, or as the reward model says that it starts from.
 * @param policy role of the policy
 * @throws CheckpointError where the reward model does not fit; Error where it has no head, or several
 */
export function addCritic(model: LanguageModel, policy: Role, options: PpoOptions): Critic {
  const { decoder, device } = model;
  const shared = options.critic === 'shared';
  const role = shared ? policy : VALUE;
  const head = options.criticFrom === null ? null : headOf(model, options.criticFrom);
  const weight = head ?? zeros([1, decoder.config.hiddenSize], { device }).keep().setRequiresGrad();
  model.addScoreHead(role, weight);
  const parameters = new Map<string, Tensor>();
  if (!shared) {
    const own =
      options.criticFrom === null
        ? addLora(decoder, VALUE, { ...loraOptionsOf(options), seed: options.seed + 1 })
        : loadAdapter(decoder, options.criticFrom, VALUE, { trainable: true, leaveHead: true });
    for (const [name, parameter] of own) parameters.set(`${VALUE}/${name}`, parameter);
  }
  parameters.set(`${VALUE}/${SCORE_WEIGHT}`, weight);
  return { role, parameters };
}

/** [1, hidden], requiring gradients */
function headOf({ decoder, device }: LanguageModel, folder: string): Tensor {
  const found = loadAdapterHead(decoder, folder, { device });
  if (found === null) {
    throw new Error(
      `--critic-from ${folder} is an adapter without a scalar head: give one of a reward model (keel reward --lora)`,
    );
  }
  const heads = found.dim(0);
  if (heads === 1) return found.setRequiresGrad();
  noGrad(() => found.dispose());
  throw new Error(
    `--critic-from ${folder} has ${heads} heads, and a critic has one: give a reward model of one head`,
  );
}
