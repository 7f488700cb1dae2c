// PEFT's adapter_config.json.
import { z } from 'zod';
import { CheckpointError } from '../formats/checkpoint-error.ts';
import { dictionary } from '../formats/dictionary.ts';
import { faultsIn } from '../formats/issue-words.ts';
import { loraScale } from './lora.ts';

const pattern = z.record(z.string(), z.number().positive()).nullish();
const names = z.union([z.array(z.string()), z.string()]).nullish();

const schema = z.looseObject({
  peft_type: z.string(),
  r: z.int().positive(),
  lora_alpha: z.number(),
  lora_dropout: z.number().min(0).max(1).default(0),
  target_modules: names,
  exclude_modules: names,
  layers_to_transform: z.union([z.int().min(0), z.array(z.int().min(0))]).nullish(),
  layers_pattern: names,
  modules_to_save: z.array(z.string()).nullish(),
  use_rslora: z.boolean().nullish(),
  rank_pattern: pattern,
  alpha_pattern: pattern,
  base_model_name_or_path: z.string().nullish(),
  revision: z.string().nullish(),
  task_type: z.string().nullish(),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
});

export type AdapterConfig = z.output<typeof schema>;

/** Fields that do not affect what a saved adapter computes. */
const withoutEffect = new Set([
  ...['auto_mapping', 'peft_version', 'inference_mode', 'runtime_config', 'megatron_core'],
  // PEFT derives it from the layer's type, and warns if the file says otherwise.
  'fan_in_fan_out',
  // How init_lora_weights initialised the matrices.
  ...['loftq_config', 'eva_config', 'corda_config', 'lora_ga_config'],
  // Read only with use_qalora, which is refused.
  'qalora_group_size',
  // Concerns layers that share weights with other layers. Keel applies no adapter to those.
  'ensure_weight_tying',
]);

/**
 * The initialisations that leave the base's weights as they are in its files. PEFT initialises A
 * differently with each, and B with zeros.
 */
const plainStarts = [true, false, 'gaussian', 'eva', 'orthogonal'];

/** Conditions on fields beyond their schema. */
const rules = dictionary<(value: unknown) => boolean>({
  // The others (pissa, olora, corda, loftq, lora_ga, mica) change the base's weights before
  // training, and PEFT repeats that on loading.
  init_lora_weights: (value) =>
    plainStarts.includes(typeof value === 'string' ? value.toLowerCase() : (value as boolean)),
  task_type: (value) => value === 'CAUSAL_LM' || value === 'SEQ_CLS',
  modules_to_save: (value) => isScoreHead(value),
  bias: (value) => value === 'none',
});

/**
 * The names that PEFT gives to a sequence classifier's head. With SEQ_CLS it writes both names,
 * whichever the model has.
 */
const isScoreHead = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => one === 'score' || one === 'classifier');

const isUnset = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/**
 * How Keel treats a field of adapter_config.json. `refused`: any value but null, false and an empty
 * one is an error.
 */
export function treatmentOf(field: string): 'read' | 'without effect' | 'refused' {
  if (Object.hasOwn(schema.shape, field) || Object.hasOwn(rules, field)) return 'read';
  return withoutEffect.has(field) ? 'without effect' : 'refused';
}

/** @throws CheckpointError naming the field that is wrong or not supported */
export function parseAdapterConfig(path: string, json: unknown): AdapterConfig {
  refuseOtherMethods(path, json);
  const result = schema.safeParse(json);
  if (!result.success) {
    throw new CheckpointError(
      { file: path },
      `is not a valid adapter configuration: ${faultsIn(result.error)}`,
    );
  }
  const config = result.data;
  for (const [field, value] of Object.entries(config)) {
    const isFine = rules[field] ?? (() => treatmentOf(field) !== 'refused');
    if (value === undefined || value === null || isFine(value)) continue;
    if (rules[field] === undefined && isUnset(value)) continue;
    throw new CheckpointError(
      { file: path },
      `its ${field} is ${JSON.stringify(value).slice(0, 80)}, which Keel does not support. ${advice(field)}`,
    );
  }
  return config;
}

/**
 * PEFT's methods that add trained vectors to the input or to attention: they cannot be merged into
 * weights.
 */
const promptMethods = new Set([
  ...['PROMPT_TUNING', 'MULTITASK_PROMPT_TUNING', 'P_TUNING', 'PREFIX_TUNING', 'CPT'],
  ...['ADAPTION_PROMPT', 'CARTRIDGE'],
]);

/**
 * Runs before the fields are checked, since those are LoRA's. @throws CheckpointError naming the
 * method
 */
function refuseOtherMethods(path: string, json: unknown): void {
  const type: unknown = (json as { peft_type?: unknown } | null)?.peft_type;
  if (typeof type !== 'string' || type === 'LORA') return;
  throw new CheckpointError(
    { file: path },
    `its peft_type is "${type}", but Keel supports only LoRA adapters (peft_type "LORA"). ${
      promptMethods.has(type)
        ? 'Such an adapter cannot be merged into a model. Train a LoRA adapter instead'
        : mergeFirst
    }`,
  );
}

/** Advice about an adapter that Keel cannot apply to a model. */
export const mergeFirst =
  'Merge the adapter with PEFT (merge_and_unload) and load the merged model';

const advice = (field: string): string =>
  field === 'init_lora_weights'
    ? 'It makes PEFT change the weights of the base model. Convert the adapter with PEFT (save_pretrained with path_initial_model_for_weight_conversion), or merge it and load the merged model'
    : mergeFirst;

/**
 * Rank and scale of one module. @throws CheckpointError if a pattern is not a valid regular
 * expression
 */
export function rankAndScale(path: string, config: AdapterConfig, module: string) {
  const rank = fromPattern(path, config.rank_pattern, module) ?? config.r;
  const alpha = fromPattern(path, config.alpha_pattern, module) ?? config.lora_alpha;
  return { rank, scale: loraScale(alpha, rank, config.use_rslora ?? false) };
}

/** PEFT's keys are regular expressions for the end of a module's name. The first match counts. */
function fromPattern(
  path: string,
  patterns: Record<string, number> | null | undefined,
  module: string,
): number | undefined {
  for (const [key, value] of Object.entries(patterns ?? {})) {
    if (pythonPattern(path, key, `^(?:.*\\.)?(?:${key})$`).test(module)) return value;
  }
  return undefined;
}

/**
 * Whether PEFT would apply an adapter with this configuration to a module.
 * @param module its name in the checkpoint
 * @throws CheckpointError if a pattern is not a valid regular expression
 */
export function isTargeted(path: string, config: AdapterConfig, module: string): boolean {
  const { target_modules: targets, exclude_modules: excluded, modules_to_save: saved } = config;
  if (excluded && isNamedBy(path, excluded, module)) return false;
  const isSaved = (saved ?? []).some((name) =>
    pythonPattern(path, name, `^(?:.*\\.)?(?:${name})(?:$|\\.)`).test(module),
  );
  if (isSaved || targets == null) return false;
  if (targets === 'all-linear') return true;
  if (!isNamedBy(path, targets, module)) return false;
  return (
    typeof targets === 'string' || targets.includes(module) || isInLayers(path, config, module)
  );
}

/** A string is a regular expression for the whole name; a list holds name endings. */
function isNamedBy(path: string, which: string | readonly string[], module: string): boolean {
  if (typeof which === 'string') return pythonPattern(path, which, `^(?:${which})$`).test(module);
  return which.some((one) => module === one || module.endsWith(`.${one}`));
}

function isInLayers(path: string, config: AdapterConfig, module: string): boolean {
  // PEFT treats an empty list as every layer.
  const layers = [config.layers_to_transform ?? []].flat();
  if (layers.length === 0) return true;
  const patterns = [config.layers_pattern ?? []].flat().filter((one) => one !== '');
  // The layer's number is the first number after the name.
  const expressions =
    patterns.length === 0
      ? [/^.*?\.[^.]*\.(\d+)\./]
      : patterns.map((one) => pythonPattern(path, one, `^(?:.*?\\.)?(?:${one})\\.(\\d+)\\.`));
  const found = expressions.map((one) => one.exec(module)).find((match) => match !== null);
  return found !== undefined && layers.includes(Number(found.at(-1)));
}

/** The `u` flag rejects letter escapes, which Python may read differently. */
function pythonPattern(path: string, key: string, whole: string): RegExp {
  try {
    return new RegExp(whole, 'u');
  } catch (cause) {
    throw new CheckpointError(
      { file: path },
      `its pattern "${key}" is not a regular expression that Keel can read`,
      { cause },
    );
  }
}
