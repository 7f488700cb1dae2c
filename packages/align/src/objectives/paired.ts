import type { Tensor } from '@keel/torch';

/** What an objective on pairs sees: numbers of P pairs, all [P]. It knows nothing of models. */
export interface PairedScores {
  /** log p(chosen | prompt) under the policy, summed over scored tokens; carries the gradient */
  policyChosen: Tensor;
  policyRejected: Tensor;
  /** The same under the reference; zeros for an objective that needs none */
  referenceChosen: Tensor;
  referenceRejected: Tensor;
  /** Scored tokens of each answer */
  tokensChosen: Tensor;
  tokensRejected: Tensor;
}

export interface PairedOptions {
  /** Strength of the tie to the reference. */
  beta: number;
  /** Assumed share of pairs labelled the wrong way round. */
  labelSmoothing: number;
}

/** An objective on pairs: one file, and one line in the registry. */
export interface PairedObjective {
  name: string;
  needsReference: boolean;
  /** Loss of each pair, [P]. The trainer takes the mean over the whole optimiser step. */
  loss(scores: PairedScores, options: PairedOptions): Tensor;
}

/** c - r: how much more the policy raised chosen over rejected than the reference did, [P]. */
export const logRatioMargin = (scores: PairedScores): Tensor =>
  scores.policyChosen
    .sub(scores.referenceChosen)
    .sub(scores.policyRejected.sub(scores.referenceRejected));
