// The options machinery of @keel/align without its index, which loads LibTorch: help, schemas and
// the doctor do without.

export { compareJsonSchema } from '../../../align/src/comparing/compare-schema.ts';
export { compareDefinition } from '../../../align/src/config/compare-options.ts';
export { ConfigError } from '../../../align/src/config/config-error.ts';
export { d2poDefinition } from '../../../align/src/config/d2po-options.ts';
export { defineDpoOptions } from '../../../align/src/config/dpo-options.ts';
export { flagValue } from '../../../align/src/config/flag-value.ts';
export { grpoDefinition } from '../../../align/src/config/grpo-options.ts';
export { optionsJsonSchema } from '../../../align/src/config/json-schema.ts';
export { ktoDefinition } from '../../../align/src/config/kto-options.ts';
export { nearest } from '../../../align/src/config/nearest.ts';
export { onlineDpoDefinition } from '../../../align/src/config/online-dpo-options.ts';
export { onlineShape } from '../../../align/src/config/online-options.ts';
export {
  defineOptions,
  type OptionDescriptor,
  type OptionsDefinition,
  option,
} from '../../../align/src/config/options.ts';
export { ppoDefinition } from '../../../align/src/config/ppo-options.ts';
export { raftDefinition } from '../../../align/src/config/raft-options.ts';
export { reinforceDefinition } from '../../../align/src/config/reinforce-options.ts';
export { remaxDefinition } from '../../../align/src/config/remax-options.ts';
export { resolveOptions } from '../../../align/src/config/resolve-options.ts';
export { rewardDefinition } from '../../../align/src/config/reward-options.ts';
export { rlooDefinition } from '../../../align/src/config/rloo-options.ts';
export { sftDefinition } from '../../../align/src/config/sft-options.ts';
export {
  dateNotice,
  templateSettings,
  templateShape,
} from '../../../align/src/config/template-options.ts';
export { trainingShape } from '../../../align/src/config/training-options.ts';
export { trlHint } from '../../../align/src/config/trl-names.ts';
export { rankedObjectiveNames } from '../../../align/src/objectives/ranked-names.ts';
export { pairedObjectiveNames } from '../../../align/src/objectives/registry.ts';
export { recipeJsonSchema } from '../../../align/src/recipes/recipe-schema.ts';
