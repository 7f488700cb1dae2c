import type { Tensor } from '@keel/torch';
import { z } from 'zod';
import { option } from '../config/options.ts';

/**
 * The inputs of an objective on pairs: numbers of P pairs, all [P]. Objectives do not depend on
 * models.
 */
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
   * Mean number of scored tokens in the chosen answers of the whole step (default: of these P
   * pairs).
   */
  meanTokensChosen?: number;
}

/** Inputs that exist only for an objective that lists them in `needs`. */
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
  /** [P]: beta of each pair, if rows have their own betas (row-betas.ts) */
  rowBeta: Tensor;
  /** [P]: probability that chosen is the better answer (label-probabilities.ts) */
  labelProbability: Tensor;
  /**
   * Means of the values of the objective's `running` over all earlier steps (moving means with
   * `momenta`); 0 at first
   */
  running: Readonly<Record<string, number>>;
}

export type SharedPart = Pick<
  PairedScores,
  'policyChosen' | 'policyRejected' | 'referenceChosen' | 'referenceRejected'
>;

export interface PairedOptions {
  /** KL strength, or the objective's equivalent. */
  beta: number;
  /** Assumed share of mislabelled pairs, for objectives that use it. */
  labelSmoothing?: number;
}

/**
 * An objective's own options, by camelCase name. Options of two objectives may share a name only if
 * they are the same.
 */
export type ObjectiveShape = Readonly<Record<string, z.ZodType>>;

/** An objective on pairs: one file, and one line in the registry. */
export interface PairedObjective {
  name: string;
  /** Without it, no reference pass is made. */
  needsReference: boolean;
  /** Default beta; null if the objective has none (default: 0.1). */
  beta?: number | null;
  /**
   * Default learning rate with LoRA, if the usual one (1e-4) drives the policy too far from where
   * it started.
   */
  loraRate?: number;
  /** Made by {@link objectiveOption}, each with its default. */
  options?: ObjectiveShape;
  needs?: readonly (keyof ExtraScores)[];
  /**
   * Whether a pair may have a probability p that chosen is the better answer: its loss is then p
   * L(chosen, rejected) + (1 - p) L(rejected, chosen). Not for a loss that imitates the chosen
   * answer, that compares the pairs of a step, or that scores already make uncertain.
   */
  softLabels?: boolean;
  /** A pair's loss depends on the step's other pairs, so it needs all of them at once. */
  coupled?: boolean;
  /** Numbers whose running mean over steps the trainer tracks, [any]; without a gradient. */
  running?: Readonly<Record<string, (scores: PairedScores, options: PairedOptions) => Tensor>>;
  /** For each moving mean in `running`, the share that it keeps from step to step. */
  momenta?: Readonly<Record<string, number>>;
  /**
   * The problem with a row's score gap; null if there is none. Checked before anything is loaded.
   */
  refuseGap?(gap: number, options: Readonly<Record<string, unknown>>): string | null;
  /** Loss of each pair, [P]. The trainer takes the mean over the whole optimizer step. */
  loss(scores: PairedScores, options: PairedOptions): Tensor;
}

/**
 * {@link PairedObjective.loraRate} of objectives that neither a reference nor a likelihood term
 * holds: docs/results/objectives.md measures how far SimPO goes at 1e-4 and at this rate.
 */
export const UNHELD_RATE = 3e-5;

/** Defines an objective whose loss receives its own options and needed inputs with their types. */
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

/** Assumed share of mislabelled pairs; at 0.5 labels carry no information. */
export const labelSmoothing = objectiveOption(
  z.number().min(0).max(0.5).default(0),
  'assumed share of pairs with the wrong label',
  'share',
);

/** c, [P]: log-ratio of policy to reference for chosen. */
export const chosenLogRatio = (scores: SharedPart): Tensor =>
  scores.policyChosen.sub(scores.referenceChosen);

/** r, [P]: like {@link chosenLogRatio}, for rejected. */
export const rejectedLogRatio = (scores: SharedPart): Tensor =>
  scores.policyRejected.sub(scores.referenceRejected);

/** d = c - r: how much more the policy raised chosen over rejected than the reference did, [P]. */
export const logRatioMargin = (scores: SharedPart): Tensor =>
  chosenLogRatio(scores).sub(rejectedLogRatio(scores));

/** A sum over an answer's tokens as a mean; 0 for an answer without tokens. [P] */
export const perToken = (sum: Tensor, tokens: Tensor): Tensor => sum.div(tokens.clamp(1));

/** -(1 - e) log s(x) - e log s(-x), [P] */
export function smoothedLogistic(logit: Tensor, smoothing: number): Tensor {
  const right = logit.logSigmoid().mul(smoothing - 1);
  return smoothing === 0 ? right : right.sub(logit.neg().logSigmoid().mul(smoothing));
}
