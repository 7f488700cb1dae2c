// Objectives on whole rankings: types of inputs and objectives.
import type { Tensor } from '@keel/torch';
import type { RankedGroups } from './ranked-groups.ts';

/** Numbers of the N concatenated answers of G rankings, best first within each ranking. */
export interface RankedAnswerScores extends RankedGroups {
  /**
   * log p(answer | prompt) under the policy, summed over scored tokens; carries the gradient. [N]
   */
  policy: Tensor;
  /** The same under the reference, [N] */
  reference: Tensor;
}

/** An objective on rankings of any number of answers, with ties. */
export interface RankedObjective {
  name: string;
  /** Loss of each ranking, [G]. The trainer takes the mean over the whole optimizer step. */
  loss(scores: RankedAnswerScores, options: { beta: number }): Tensor;
}
