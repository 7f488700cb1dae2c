import type { Tensor } from '@keel/torch';
import { z } from 'zod';
import { option } from '../config/options.ts';

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
  /**
   * Mean number of scored tokens in the chosen answers of the whole step; of these P pairs unless
   * given.
   */
  meanTokensChosen?: number;
}

/** What is there only for an objective that lists it in `needs`. */
export interface ExtraScores {
  /**
   * [P]: how much better a judge scored chosen than rejected (`score_chosen - score_rejected`, or
   * `margin`)
   */
  scoreGap: Tensor;
  /** Log-probabilities of each answer's first min(n_c, n_r) scored tokens alone, [P] each */
  shared: SharedPart;
  /**
   * Mean over an answer's scored tokens of log(p(token) / sum over v of p(v)^2) under the policy,
   * [P] each, without gradient
   */
  alignment: { chosen: Tensor; rejected: Tensor };
  /** [P]: beta of each pair, where rows have betas of their own (row-betas.ts) */
  rowBeta: Tensor;
  /**
   * Means of what the objective's `running` gives, over all steps before this one (moving ones,
   * with `momenta`); 0 at first
   */
  running: Readonly<Record<string, number>>;
}

export type SharedPart = Pick<
  PairedScores,
  'policyChosen' | 'policyRejected' | 'referenceChosen' | 'referenceRejected'
>;

export interface PairedOptions {
  /** Strength of the tie to the reference, or what the objective says it is. */
  beta: number;
  /** Assumed share of pairs labelled the wrong way round, for objectives that take it. */
  labelSmoothing?: number;
}

/**
 * Options of an objective's own, by their camelCase names; those of two objectives have two names,
 * unless they are the same.
 */
export type ObjectiveShape = Readonly<Record<string, z.ZodType>>;

/** An objective on pairs: one file, and one line in the registry. */
export interface PairedObjective {
  name: string;
  /** False: no reference pass is made. */
  needsReference: boolean;
  /** Beta where none is given; null where the objective has none. 0.1 unless told. */
  beta?: number | null;
  /** Made by {@link objectiveOption}, each with its default. */
  options?: ObjectiveShape;
  needs?: readonly (keyof ExtraScores)[];
  /** A pair's loss depends on the other pairs of the step, so that it is to see all of them. */
  coupled?: boolean;
  /** Numbers whose running mean over steps the trainer keeps, [any]; it carries no gradient. */
  running?: Readonly<Record<string, (scores: PairedScores, options: PairedOptions) => Tensor>>;
  /** Of each of `running` that is a moving mean: the share that it keeps from step to step. */
  momenta?: Readonly<Record<string, number>>;
  /**
   * What is wrong with a row's score gap; null where nothing is. Asked before anything is loaded.
   */
  refuseGap?(gap: number, options: Readonly<Record<string, unknown>>): string | null;
  /** Loss of each pair, [P]. The trainer takes the mean over the whole optimiser step. */
  loss(scores: PairedScores, options: PairedOptions): Tensor;
}

/** An objective whose loss sees its own options and what it needs under their types. */
export function definePaired<
  Shape extends ObjectiveShape = Record<never, never>,
  Need extends keyof ExtraScores = never,
>(
  parts: Omit<PairedObjective, 'loss' | 'options' | 'needs'> & {
    options?: Shape;
    needs?: readonly Need[];
    loss(
      scores: PairedScores & Pick<ExtraScores, Need>,
      options: PairedOptions & { [Key in keyof Shape]: z.output<Shape[Key]> },
    ): Tensor;
  },
): PairedObjective & { options?: Shape } {
  return parts as PairedObjective & { options?: Shape };
}

/** An objective's own option: a flag, a key in YAML and a field in TypeScript. */
export const objectiveOption = <Schema extends z.ZodType>(
  schema: Schema,
  description: string,
  value?: string,
): Schema =>
  option(schema, { description, group: 'Objective-specific options', ...(value && { value }) });

/** Assumed share of pairs that are labelled the wrong way round; at 0.5 labels say nothing. */
export const labelSmoothing = objectiveOption(
  z.number().min(0).max(0.5).default(0),
  'assumed share of pairs with the wrong label',
  'share',
);

/** c, [P]: how much more the policy gives chosen than the reference does. */
export const chosenLogRatio = (scores: SharedPart): Tensor =>
  scores.policyChosen.sub(scores.referenceChosen);

/** r, [P]: as {@link chosenLogRatio}, for rejected. */
export const rejectedLogRatio = (scores: SharedPart): Tensor =>
  scores.policyRejected.sub(scores.referenceRejected);

/** d = c - r: how much more the policy raised chosen over rejected than the reference did, [P]. */
export const logRatioMargin = (scores: SharedPart): Tensor =>
  chosenLogRatio(scores).sub(rejectedLogRatio(scores));

/** A sum over an answer's tokens as a mean; 0 for an answer without one. [P] */
export const perToken = (sum: Tensor, tokens: Tensor): Tensor => sum.div(tokens.clamp(1));

/** -(1 - e) log s(x) - e log s(-x), [P] */
export function smoothedLogistic(logit: Tensor, smoothing: number): Tensor {
  const right = logit.logSigmoid().mul(smoothing - 1);
  return smoothing === 0 ? right : right.sub(logit.neg().logSigmoid().mul(smoothing));
}
