import type { Tensor } from '@keel/torch';

/** The inputs of an objective on single answers: numbers of M answers, all [M]. */
export interface UnpairedScores {
  /**
   * log p(completion | prompt) under the policy, summed over scored tokens; carries the gradient
   */
  policy: Tensor;
  reference: Tensor;
  /** 1 for a desirable answer, 0 for an undesirable one */
  desirable: Tensor;
  /**
   * Estimate of KL(policy, reference), at least 0 and without gradient; 0 for an objective that
   * needs none
   */
  kl: number;
  /** Means of the values of the objective's `running` over all earlier steps; 0 at first */
  running: Readonly<Record<string, number>>;
}

export interface UnpairedOptions {
  beta: number;
  desirableWeight: number;
  undesirableWeight: number;
}

/** An objective on single answers labelled desirable or undesirable. */
export interface UnpairedObjective {
  name: string;
  /**
   * Whether it needs an estimate of KL(policy, reference), for which mismatched answers are scored.
   */
  needsKl: boolean;
  running?: Readonly<Record<string, (scores: UnpairedScores, options: UnpairedOptions) => Tensor>>;
  /** Loss of each answer, [M]. */
  loss(scores: UnpairedScores, options: UnpairedOptions): Tensor;
}

/** The weight of each answer, [M] */
export const labelWeight = (
  { desirable }: UnpairedScores,
  { desirableWeight, undesirableWeight }: UnpairedOptions,
): Tensor => desirable.mul(desirableWeight - undesirableWeight).add(undesirableWeight);

/** +1 for a desirable answer, -1 for an undesirable one, [M] */
export const labelSign = ({ desirable }: UnpairedScores): Tensor => desirable.mul(2).sub(1);
