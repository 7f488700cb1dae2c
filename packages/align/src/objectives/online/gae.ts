// Generalised advantage estimation (Schulman et al. 2015, arXiv:1506.02438, eq. 16):
//   delta_t = r_t + gamma V_{t+1} - V_t,   A_t = delta_t + gamma lambda A_{t+1},   R_t = A_t + V_t
// over the scored tokens only. In a rollout of several turns, the next scored token is the next
// state, however many other tokens lie between: the carry crosses them with a single factor of
// gamma lambda, and the critic's values for them (radixark/miles#1827, alibaba/ROLL#447) are never
// used.
import { expectFinite, expectLength, type Numbers, type RolloutLayout } from './rollout.ts';

export interface GaeOptions {
  /** Discount per token. InstructGPT and TRL: 1. */
  gamma: number;
  /** From 0 (one step) to 1 (the whole return). TRL: 0.95. */
  lambda: number;
}

export interface Advantages {
  /** [N] */
  advantages: Float64Array;
  /** [N], the critic's targets */
  returns: Float64Array;
}

/**
 * @param rewards [N]
 * @param values [N], of the state in which each token was chosen
 * @param bootstrap [S], the value after the last token, for completions that were cut off (Pardo et
 *   al. 2018, arXiv:1712.00378, section 3.2) (default: 0, as in TRL)
 */
export function generalisedAdvantages(
  layout: RolloutLayout,
  { rewards, values, bootstrap }: { rewards: Numbers; values: Numbers; bootstrap?: Numbers },
  { gamma, lambda }: GaeOptions,
): Advantages {
  expectLength(rewards, layout.tokens, 'rewards', 'scored tokens');
  expectLength(values, layout.tokens, 'values', 'scored tokens');
  if (bootstrap) expectLength(bootstrap, layout.sequences, 'bootstrap values', 'sequences');
  expectFinite(rewards, 'the reward of token');
  expectFinite(values, 'the value of token');
  for (const [name, factor] of [['gamma', gamma] as const, ['lambda', lambda] as const]) {
    if (!(factor >= 0 && factor <= 1))
      throw new RangeError(`${name} must be from 0 to 1, got ${factor}`);
  }
  const advantages = new Float64Array(layout.tokens);
  const returns = new Float64Array(layout.tokens);
  for (let sequence = 0; sequence < layout.sequences; sequence++) {
    let next = bootstrap?.[sequence] ?? 0;
    let carry = 0;
    for (let token = layout.lastOf(sequence); token >= layout.offsets[sequence]!; token--) {
      const delta = rewards[token]! + gamma * next - values[token]!;
      carry = delta + gamma * lambda * carry;
      advantages[token] = carry;
      returns[token] = carry + values[token]!;
      next = values[token]!;
    }
  }
  return { advantages, returns };
}
