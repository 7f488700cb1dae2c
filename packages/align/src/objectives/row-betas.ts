// A beta per row, for example from a judge whose confidence varies, or for data from several
// sources.
import { fromTypedArray, ops, type Tensor } from '@keel/torch';
import { selected } from './label-probabilities.ts';
import type { PairedObjective, PairedOptions, PairedScores } from './paired.ts';

/**
 * The same objective with the beta of each pair, if the scores have betas. Pairs with the same beta
 * are treated like a step with that beta.
 */
export function withRowBetas(objective: PairedObjective): PairedObjective {
  const { running = {} } = objective;
  return {
    ...objective,
    needs: [...(objective.needs ?? []), 'rowBeta'],
    running: Object.fromEntries(
      Object.entries(running).map(([name, observe]) => [
        name,
        (scores: PairedScores, options: PairedOptions) => byBeta(scores, options, observe),
      ]),
    ),
    loss: (scores, options) => byBeta(scores, options, objective.loss),
  };
}

/** [P]: calls a function that gives one number per pair, once for each beta. */
function byBeta(
  scores: PairedScores & { rowBeta?: Tensor },
  options: PairedOptions,
  of: (scores: PairedScores, options: PairedOptions) => Tensor,
): Tensor {
  const { rowBeta, ...others } = scores;
  if (rowBeta === undefined) return of(others, options);
  const places = new Map<number, number[]>();
  rowBeta.toArray().forEach((beta, place) => {
    places.set(beta, [...(places.get(beta) ?? []), place]);
  });
  if (places.size === 1) return of(others, { ...options, beta: [...places.keys()][0]! });
  // By default the mean is over all pairs, not over those with the same beta.
  const { meanTokensChosen = others.tokensChosen.mean().item() } = others;
  const parts = [...places].map(([beta, own]) => {
    const at = indices(own).to({ device: rowBeta.device });
    const ofBeta = { ...(selected(others, at) as PairedScores), meanTokensChosen };
    return of(ofBeta, { ...options, beta });
  });
  const order = [...places.values()].flat();
  const back = order.map((_, place) => order.indexOf(place));
  return ops.cat(parts, 0).indexSelect(0, indices(back).to({ device: rowBeta.device }));
}

const indices = (places: readonly number[]): Tensor =>
  fromTypedArray(BigInt64Array.from(places, BigInt));
