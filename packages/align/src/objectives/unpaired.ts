import type { Tensor } from '@keel/torch';

/** The inputs of an objective on single answers: numbers of M answers, all [M]. */
export interface UnpairedScores {
  /**
   * log p(completion | prompt) under the policy, summed over scored tokens; carries the gradient
   */
  policy: Tensor;
  reference: Tensor;
  /**
   * 1 for a desirable answer, 0 for an undesirable one; between them, the probability that an
   * answer with an uncertain label is desirable
   */
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
  /** Loss of each answer, [M]; `desirable` is 1 or 0 for all of them. */
  loss(scores: UnpairedScores, options: UnpairedOptions): Tensor;
}

/**
 * The loss of each answer, expected over uncertain labels, [M]: p L(desirable) + (1 - p)
 * L(undesirable) with p of `desirable`, so that an answer counts with the weight p as a desirable
 * one and with 1 - p as an undesirable one. Answers with a certain label have the objective's own
 * loss, exactly.
 * @param chances the numbers in `desirable`, where the caller has them
 */
export function expectedLoss(
  objective: UnpairedObjective,
  scores: UnpairedScores,
  options: UnpairedOptions,
  chances: readonly number[] = scores.desirable.toArray(),
): Tensor {
  const { desirable } = scores;
  if (chances.every((chance) => chance === 0 || chance === 1)) {
    return objective.loss(scores, options);
  }
  const as = (label: 0 | 1): Tensor =>
    objective.loss({ ...scores, desirable: desirable.mul(0).add(label) }, options);
  return as(1)
    .mul(desirable)
    .add(as(0).mul(desirable.neg().add(1)));
}

/** The weight of each answer, [M] */
export const labelWeight = (
  { desirable }: UnpairedScores,
  { desirableWeight, undesirableWeight }: UnpairedOptions,
): Tensor => desirable.mul(desirableWeight - undesirableWeight).add(undesirableWeight);

/** +1 for a desirable answer, -1 for an undesirable one, [M] */
export const labelSign = ({ desirable }: UnpairedScores): Tensor => desirable.mul(2).sub(1);
