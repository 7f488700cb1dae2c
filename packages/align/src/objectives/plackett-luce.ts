// Reward modelling on rankings of K answers: the negative log-likelihood of the ranking under the
// Plackett-Luce model (Plackett 1975; Luce 1959), as ListMLE (Xia et al. 2008) and DPO's eq. 18
// (Rafailov et al. 2023, arXiv:2305.18290, appendix A.3) write it. For K = 2 it is Bradley-Terry.
//
// The paper does not cover ties. Here a tie carries no information about the order inside it: a
// tied answer is chosen from itself and everything ranked below the tie, never against its equals.
// Two tied answers alone therefore cost nothing, while Breslow's method (each against its equals
// too) would pull their scores together.
import { ops, type Tensor, tensor } from '@keel/torch';
import { type RankedGroups, rankedAnswers } from './ranked-groups.ts';

/**
 * Sum over answers i of log(1 + sum over the answers j ranked below i of exp(s_j - s_i))
 *
 * Invariant to a constant added to all scores of a prompt, and finite for gaps of 1e4.
 * @param scores [N], the answers of all prompts, best first within each prompt
 * @param offsets [G + 1], the start of each prompt's answers, then N
 * @param ranks [N], non-decreasing within a prompt, equal for ties; absent without ties
 * @returns the loss of each prompt, [G], not divided by K
 * @throws RangeError for offsets or ranks that do not fit (`rankedAnswers`)
 */
export function plackettLuce(scores: Tensor, offsets: Int32Array, ranks?: Int32Array): Tensor {
  const groups: RankedGroups = ranks ? { offsets, ranks } : { offsets };
  const answers = rankedAnswers(scores.shape, groups);
  const width = 1 + Math.max(...answers.map(({ worse, end }) => end - worse));
  // Row i contains answer i and those below it, padded with i itself (masked) to the widest row.
  const rows = answers.map(({ index, worse, end }) =>
    Array.from({ length: width }, (_, place) =>
      place === 0 ? index : worse + place - 1 < end ? worse + place - 1 : -1,
    ),
  );
  const { device } = scores;
  const flat = rows.flatMap((row, index) => row.map((place) => (place < 0 ? index : place)));
  const absent = tensor(
    rows.map((row) => row.map((place) => Number(place < 0))),
    { dtype: 'bool', device },
  ); // [N, width]
  const set = scores.indexSelect(0, tensor(flat, { dtype: 'int64', device })).view(-1, width);
  // [N, width]
  const lead = set.sub(scores.unsqueeze(1)).maskedFill(absent, Number.NEGATIVE_INFINITY);
  const surprise = lead.logsumexp(1); // [N]
  const group = tensor(
    answers.map((answer) => answer.group),
    { dtype: 'int64', device },
  ); // [N]
  const none = ops.zeros([offsets.length - 1], scores.dtype, device);
  return ops.indexAdd(none, 0, group, surprise); // [G]
}
