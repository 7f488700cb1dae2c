// Finds where a completion ends and which of its tokens are scored.
import { type Numbers, RolloutLayout } from './rollout.ts';

/**
 * The tokens up to and including the first end token; tokens that a sampler put after it are not
 * part of the completion.
 * @param tokens only the completion: an end token in the prompt (chat templates have them) must not
 *   count
 * @param ends every id that ends a completion: the end of text, the end of a turn, stop tokens
 */
export function completionEnd(
  tokens: Numbers,
  ends: ReadonlySet<number>,
): { length: number; ended: boolean } {
  for (let index = 0; index < tokens.length; index++) {
    if (ends.has(tokens[index]!)) return { length: index + 1, ended: true };
  }
  return { length: tokens.length, ended: false };
}

/** The scored tokens of completions that also contain other tokens (tool results, user turns). */
export interface ScoredTokens {
  layout: RolloutLayout;
  /** [N]: index of each scored token in the concatenated completions. */
  tokens: Int32Array;
}

/**
 * @param scored for each completion, which of its tokens the policy sampled
 * @param groups [S], the prompt of each
 * @throws RangeError for a completion without scored tokens
 */
export function scoredTokens(
  scored: readonly ArrayLike<boolean | number>[],
  groups?: Numbers,
): ScoredTokens {
  const lengths: number[] = [];
  const tokens: number[] = [];
  let begin = 0;
  for (const completion of scored) {
    const before = tokens.length;
    for (let index = 0; index < completion.length; index++) {
      if (completion[index]) tokens.push(begin + index);
    }
    lengths.push(tokens.length - before);
    begin += completion.length;
  }
  return { layout: RolloutLayout.of(lengths, groups), tokens: Int32Array.from(tokens) };
}

/** Selects the numbers of the scored tokens from those of all tokens, [N]. */
export const pickScored = (values: Numbers, { tokens }: ScoredTokens): Float64Array =>
  Float64Array.from(tokens, (token) => values[token]!);

/**
 * Converts rewards of all tokens to rewards of the scored ones, [N]. An environment's reward may
 * arrive on a token that is not scored (a tool result): it is credited, undiscounted, to the last
 * scored token before it.
 * @param rewards of the concatenated completions
 * @throws RangeError for a reward before a completion's first scored token, which no action has
 *   earned
 */
export function rewardsOfScored(
  rewards: Numbers,
  scored: readonly ArrayLike<boolean | number>[],
): Float64Array {
  const found: number[] = [];
  let begin = 0;
  scored.forEach((completion, sequence) => {
    const before = found.length;
    for (let index = 0; index < completion.length; index++) {
      const reward = rewards[begin + index]!;
      if (completion[index]) found.push(reward);
      else if (reward !== 0) {
        if (found.length === before) {
          throw new RangeError(
            `completion ${sequence} has a reward of ${reward} at token ${index}, before its first scored token`,
          );
        }
        found[found.length - 1]! += reward;
      }
    }
    begin += completion.length;
  });
  return Float64Array.from(found);
}
