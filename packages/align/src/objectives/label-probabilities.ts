// Pairs whose label is uncertain: votes of several people, or the probability of a judge. The loss
// is its expectation over the label, p L(chosen, rejected) + (1 - p) L(rejected, chosen). With
// `sigmoid` it is conservative DPO with e = 1 - p for each pair (Mitchell 2023, "A note on DPO with
// noisy preferences", eq. 3). An objective's own label smoothing e is applied to both terms: the
// weight of log s(x) is then e + (1 - 2e) p. With `ipo` the target of the margin becomes (2p - 1)
// / 2b, and with `sppo_hard` the targets are +-(2p - 1) / 2b, as in SPPO's eq. 4.7. Losses that are
// not linear in the smoothing (`exo`) have their optimum elsewhere than at s(x) = p.
import { fromTypedArray, ops, Tensor, zeros } from '@keel/torch';
import type {
  ExtraScores,
  PairedObjective,
  PairedOptions,
  PairedScores,
  SharedPart,
} from './paired.ts';

type Scores = PairedScores & Partial<ExtraScores>;

/**
 * The same objective with the label's probability of each pair, if the scores have them and if the
 * objective supports them. A pair of the probability 1 has the objective's own loss, and one of 0
 * that of the pair with its answers swapped, exactly.
 */
export function withLabelProbabilities(objective: PairedObjective): PairedObjective {
  if (!objective.softLabels) return objective;
  return {
    ...objective,
    needs: [...(objective.needs ?? []), 'labelProbability'],
    loss: (scores, options) => expected(scores, options, objective.loss),
  };
}

/** The loss of each pair, expected over its label, [P] */
function expected(scores: Scores, options: PairedOptions, loss: PairedObjective['loss']): Tensor {
  const { labelProbability, ...others } = scores;
  if (labelProbability === undefined) return loss(others, options);
  const chances = labelProbability.toArray();
  if (chances.every((chance) => chance === 1)) return loss(others, options);
  // A term of weight 0 is not computed, since it may be infinite.
  const terms = [
    { of: others, weights: chances },
    { of: swapped(others), weights: chances.map((chance) => 1 - chance) },
  ].flatMap(({ of, weights }) => {
    const places = [...weights.keys()].filter((place) => weights[place]! > 0);
    if (places.length === 0) return [];
    const at = fromTypedArray(BigInt64Array.from(places, BigInt));
    const index = at.to({ device: labelProbability.device });
    const losses = loss(selected(of, index) as PairedScores, options);
    const like = { dtype: losses.dtype, device: losses.device };
    const weight = fromTypedArray(Float64Array.from(places, (place) => weights[place]!)).to(like);
    return [{ index, losses: losses.mul(weight) }];
  });
  const [{ losses }] = terms as [(typeof terms)[number]];
  const blank = zeros([chances.length], { dtype: losses.dtype, device: losses.device });
  return terms.reduce((sum, term) => ops.indexAdd(sum, 0, term.index, term.losses), blank);
}

/** The pairs with the answers in the other order. */
function swapped({ shared, alignment, ...scores }: Omit<Scores, 'labelProbability'>): Scores {
  return {
    ...scores,
    ...otherOrder(scores),
    ...{ tokensChosen: scores.tokensRejected, tokensRejected: scores.tokensChosen },
    ...(shared && { shared: otherOrder(shared) }),
    ...(alignment && { alignment: { chosen: alignment.rejected, rejected: alignment.chosen } }),
  };
}

const otherOrder = (part: SharedPart): SharedPart => ({
  policyChosen: part.policyRejected,
  policyRejected: part.policyChosen,
  referenceChosen: part.referenceRejected,
  referenceRejected: part.referenceChosen,
});

/** Selects these rows of every column; numbers of the whole step are unchanged. */
export function selected(value: unknown, at: Tensor): unknown {
  if (value instanceof Tensor) return value.indexSelect(0, at);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, selected(one, at)]));
}
