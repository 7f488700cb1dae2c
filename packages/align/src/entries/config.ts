// @keel/align/config: options of every method, their schemas and values. Does not load LibTorch.

export { askedBy } from '../asking/choose-comparisons.ts';
export { policyMargins } from '../asking/policy-options.ts';
export { type CompareOptions, compareDefinition } from '../comparing/compare-options.ts';
export { compareJsonSchema } from '../comparing/compare-schema.ts';
export { ConfigError } from '../config/config-error.ts';
export {
  type ConstraintOptions,
  checkConstraint,
  constraintFlag,
  constraintShape,
  readConstraint,
} from '../config/constraint-options.ts';
export { flagValue } from '../config/flag-value.ts';
export { optionsJsonSchema } from '../config/json-schema.ts';
export { nearest } from '../config/nearest.ts';
export {
  defineOptions,
  detailsOf,
  type OptionDescriptor,
  type OptionsDefinition,
  option,
  variant,
} from '../config/options.ts';
export { resolveOptions } from '../config/resolve-options.ts';
export { columnsOption, rowReadingShape } from '../config/row-options.ts';
export { runResult } from '../config/run-result.ts';
export {
  dateNotice,
  type TemplateOptions,
  templateSettings,
  templateShape,
} from '../config/template-options.ts';
export { trainingShape } from '../config/training-options.ts';
export { otherTrainersNames, trlHint } from '../config/trl-names.ts';
export { formatNames } from '../converting/formats/formats.ts';
export { convertPairings, targets } from '../converting/target-names.ts';
export { type KtoOptions, ktoDefinition } from '../methods/answers/kto-options.ts';
export type {
  BestOfNHooks,
  BestOfNOptions,
  BestOfNPlan,
  BestOfNProgress,
} from '../methods/best-of-n/best-of-n-options.ts';
export { type D2poOptions, d2poDefinition } from '../methods/d2po/d2po-options.ts';
export { type GrpoOptions, grpoDefinition } from '../methods/grpo/grpo-options.ts';
export { onlineShape } from '../methods/online/online-options.ts';
export {
  type OnlineDpoOptions,
  onlineDpoDefinition,
} from '../methods/online-dpo/online-dpo-options.ts';
export { type DpoOptions, defineDpoOptions } from '../methods/pairs/dpo-options.ts';
export { type PpoOptions, ppoDefinition } from '../methods/ppo/ppo-options.ts';
export { type RaftOptions, raftDefinition } from '../methods/raft/raft-options.ts';
export type { MethodVerb } from '../methods/registration/method-verb.ts';
export {
  type ReinforceOptions,
  reinforceDefinition,
} from '../methods/reinforce/reinforce-options.ts';
export { type RemaxOptions, remaxDefinition } from '../methods/remax/remax-options.ts';
export { type RewardOptions, rewardDefinition } from '../methods/reward/reward-options.ts';
export { type RlooOptions, rlooDefinition } from '../methods/rloo/rloo-options.ts';
export { type SftOptions, sftDefinition } from '../methods/supervised/sft-options.ts';
export { methodVerbs } from '../methods/verbs.ts';
export { rankedObjectiveNames } from '../objectives/ranked-names.ts';
export { pairedObjectiveNames } from '../objectives/registry.ts';
export { recipeJsonSchema } from '../recipes/recipe-schema.ts';
