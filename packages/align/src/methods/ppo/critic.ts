// The critic of an online run: a scalar head on the base, with its own adapter or the policy's.
import { addLora, type LanguageModel, loadAdapter, type Role, SCORE_WEIGHT } from '@keel/model';
import { type Tensor, zeros } from '@keel/torch';
import { loraOptionsOf } from '../../training/policy.ts';
import { loadHead } from './load-head.ts';
import type { PpoOptions } from './ppo-options.ts';

/** The critic's adapter. */
const VALUE = 'value';

export interface Critic {
  /** The role whose head gives the values. */
  role: Role;
  /** Its trained parameters other than the policy's, by name. */
  parameters: Map<string, Tensor>;
}

/**
 * Adds a critic to a model. Its values start at 0, or as the scores of a reward model.
 * @param policy role of the policy
 * @throws CheckpointError if the reward model does not fit; Error if it has no head, or several
 */
export function addCritic(model: LanguageModel, policy: Role, options: PpoOptions): Critic {
  const { decoder, device } = model;
  const shared = options.critic === 'shared';
  const role = shared ? policy : VALUE;
  const head =
    options.criticFrom === null
      ? null
      : loadHead(model, options.criticFrom, `--critic-from ${options.criticFrom}`, 'a critic');
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
