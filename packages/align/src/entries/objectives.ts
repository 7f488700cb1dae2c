// @keel/align/objectives: losses as pure functions of log-probabilities, rewards or scores.

export { type AllPairsOptions, allPairs } from '../objectives/all-pairs.ts';
export {
  type BradleyTerryOptions,
  bradleyTerry,
  type PairRewards,
} from '../objectives/bradley-terry.ts';
export { completeOptions, type WeightedPart, weightedObjective } from '../objectives/mixture.ts';
export { bestOfNKl, expectedBestOfN, expectedOfBest } from '../objectives/online/best-of-n.ts';
export { boundedExp } from '../objectives/online/bounded-exp.ts';
export {
  type ClipOptions,
  clippedSurrogate,
  type Surrogate,
} from '../objectives/online/clipped-surrogate.ts';
export { entropyBonus, tokenEntropy } from '../objectives/online/entropy.ts';
export {
  type Advantages,
  type GaeOptions,
  generalisedAdvantages,
} from '../objectives/online/gae.ts';
export {
  chooseGold,
  type GoldPairs,
  goldPairs,
  goldPairsDue,
} from '../objectives/online/gold-labels.ts';
export { greedyBaselineAdvantages } from '../objectives/online/greedy-baseline.ts';
export {
  type AdvantageScaling,
  advantageScalings,
  type GroupAdvantages,
  groupAdvantages,
  leaveOneOutAdvantages,
} from '../objectives/online/group-advantages.ts';
export {
  importanceRatio,
  type RatioLevel,
  ratioLevels,
} from '../objectives/online/importance-ratio.ts';
export { type KeepRule, keptAnswers } from '../objectives/online/kept-answers.ts';
export {
  type KlEstimator,
  klEstimators,
  klLoss,
  klPerToken,
} from '../objectives/online/kl-estimators.ts';
export {
  type LossReduction,
  lossReductions,
  reduceLoss,
  reductionWeights,
  type StepTotals,
  stepTotals,
} from '../objectives/online/loss-reductions.ts';
export {
  exceedsKlTarget,
  type PolicyDrift,
  policyDrift,
  samplerMismatch,
} from '../objectives/online/policy-drift.ts';
export {
  bestAndWorst,
  bestOfEach,
  bradleyTerryPairs,
  type PreferencePair,
  type PreferencePairs,
  wideEnough,
} from '../objectives/online/preference-pairs.ts';
export { batchBaselineAdvantages, reinforceLoss } from '../objectives/online/reinforce.ts';
export { constantLike, type Numbers, RolloutLayout } from '../objectives/online/rollout.ts';
export {
  type ScoreShaping,
  sequenceRewards,
  shapeScores,
  tokenRewards,
} from '../objectives/online/token-rewards.ts';
export { explainedVariance, valueLoss } from '../objectives/online/value-loss.ts';
export { type WhiteningOptions, whiten } from '../objectives/online/whitening.ts';
export {
  definePaired,
  type ExtraScores,
  logRatioMargin,
  objectiveOption,
  type PairedObjective,
  type PairedOptions,
  type PairedScores,
} from '../objectives/paired.ts';
export { plackettLuce } from '../objectives/plackett-luce.ts';
export { plackettLuceDpo, type RankedScores } from '../objectives/plackett-luce-dpo.ts';
export { processReward } from '../objectives/process-reward.ts';
export { pairedObjective } from '../objectives/registry.ts';
export type { UnpairedObjective, UnpairedOptions, UnpairedScores } from '../objectives/unpaired.ts';
export { unpairedObjective, unpairedObjectiveNames } from '../objectives/unpaired-registry.ts';
