// Reward modelling on rankings of K answers through all of their pairs, with equal weight per
// prompt (InstructGPT, Ouyang et al. 2022, arXiv:2203.02155, eq. 1 with its weight 1 / C(K, 2)):
// pairs of one prompt are not independent, and overfit if they are treated as if they were. Tied
// answers make no pair; the weight is then 1 / (remaining pairs).
import { ops, type Tensor, tensor } from '@keel/torch';
import { type BradleyTerryOptions, bradleyTerry } from './bradley-terry.ts';
import { type RankedGroups, rankedAnswers } from './ranked-groups.ts';

export interface AllPairsOptions extends BradleyTerryOptions {
  /** [N], non-decreasing within a prompt, equal for ties; absent without ties */
  ranks?: Int32Array;
}

/**
 * Mean over the pairs of a prompt of -log s(s_better - s_worse) + centring * (s_better + s_worse)^2
 * @param scores [N], the answers of all prompts, best first within each prompt
 * @param offsets [G + 1], the start of each prompt's answers, then N
 * @returns the loss of each prompt, [G]; 0 for one whose answers are all tied
 * @throws RangeError for offsets or ranks that do not fit (`rankedAnswers`)
 */
export function allPairs(
  scores: Tensor,
  offsets: Int32Array,
  { ranks, ...options }: AllPairsOptions = {},
): Tensor {
  const groups: RankedGroups = ranks ? { offsets, ranks } : { offsets };
  const pairs = rankedAnswers(scores.shape, groups).flatMap(({ group, index, worse, end }) =>
    Array.from({ length: end - worse }, (_, place) => ({
      group,
      better: index,
      worse: worse + place,
    })),
  );
  const counts = new Int32Array(offsets.length - 1);
  for (const { group } of pairs) counts[group]!++;
  const { device, dtype } = scores;
  const none = ops.zeros([counts.length], dtype, device);
  // Keep it a function of the scores, so that a batch with only ties has a gradient (of zeros).
  if (pairs.length === 0) return none.add(scores.mul(0).sum());
  const indices = (values: number[]): Tensor => tensor(values, { dtype: 'int64', device });
  const pick = (name: 'better' | 'worse'): Tensor =>
    scores.indexSelect(0, indices(pairs.map((pair) => pair[name]))); // [pairs]
  const loss = bradleyTerry({ chosen: pick('better'), rejected: pick('worse') }, options);
  const weight = tensor(
    pairs.map(({ group }) => 1 / counts[group]!),
    { dtype, device },
  ); // [pairs]
  return ops.indexAdd(none, 0, indices(pairs.map(({ group }) => group)), loss.mul(weight)); // [G]
}
