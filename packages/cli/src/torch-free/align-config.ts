// The options machinery of @keel/align without its index, which loads LibTorch: help, schemas and
// the doctor do not need it.

export { compareDefinition } from '../../../align/src/comparing/compare-options.ts';
export { compareJsonSchema } from '../../../align/src/comparing/compare-schema.ts';
export { ConfigError } from '../../../align/src/config/config-error.ts';
export { flagValue } from '../../../align/src/config/flag-value.ts';
export { optionsJsonSchema } from '../../../align/src/config/json-schema.ts';
export { nearest } from '../../../align/src/config/nearest.ts';
export {
  defineOptions,
  detailsOf,
  type OptionDescriptor,
  type OptionsDefinition,
  option,
  variant,
} from '../../../align/src/config/options.ts';
export { resolveOptions } from '../../../align/src/config/resolve-options.ts';
export {
  dateNotice,
  templateSettings,
  templateShape,
} from '../../../align/src/config/template-options.ts';
export { trainingShape } from '../../../align/src/config/training-options.ts';
export { trlHint } from '../../../align/src/config/trl-names.ts';
export { ktoDefinition } from '../../../align/src/methods/answers/kto-options.ts';
export { d2poDefinition } from '../../../align/src/methods/d2po/d2po-options.ts';
export { grpoDefinition } from '../../../align/src/methods/grpo/grpo-options.ts';
export { onlineShape } from '../../../align/src/methods/online/online-options.ts';
export { onlineDpoDefinition } from '../../../align/src/methods/online-dpo/online-dpo-options.ts';
export { defineDpoOptions } from '../../../align/src/methods/pairs/dpo-options.ts';
export { ppoDefinition } from '../../../align/src/methods/ppo/ppo-options.ts';
export { raftDefinition } from '../../../align/src/methods/raft/raft-options.ts';
export { reinforceDefinition } from '../../../align/src/methods/reinforce/reinforce-options.ts';
export { remaxDefinition } from '../../../align/src/methods/remax/remax-options.ts';
export { rewardDefinition } from '../../../align/src/methods/reward/reward-options.ts';
export { rlooDefinition } from '../../../align/src/methods/rloo/rloo-options.ts';
export { sftDefinition } from '../../../align/src/methods/supervised/sft-options.ts';
export { rankedObjectiveNames } from '../../../align/src/objectives/ranked-names.ts';
export { pairedObjectiveNames } from '../../../align/src/objectives/registry.ts';
export { recipeJsonSchema } from '../../../align/src/recipes/recipe-schema.ts';
