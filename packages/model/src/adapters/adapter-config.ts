// PEFT's adapter_config.json.
import { z } from 'zod';
import { CheckpointError } from '../formats/checkpoint-error.ts';
import { loraScale } from './lora.ts';

const pattern = z.record(z.string(), z.number().positive()).nullish();

const schema = z.looseObject({
  peft_type: z.string(),
  r: z.int().positive(),
  lora_alpha: z.number(),
  lora_dropout: z.number().min(0).max(1).default(0),
  target_modules: z.union([z.array(z.string()), z.string()]).nullish(),
  exclude_modules: z.union([z.array(z.string()), z.string()]).nullish(),
  layers_to_transform: z.union([z.int().min(0), z.array(z.int().min(0))]).nullish(),
  use_rslora: z.boolean().nullish(),
  rank_pattern: pattern,
  alpha_pattern: pattern,
  base_model_name_or_path: z.string().nullish(),
  task_type: z.string().nullish(),
});

export type AdapterConfig = z.output<typeof schema>;

// Each changes what the adapter computes, so none may be passed over in silence.
const unsupported: Record<string, (value: unknown) => boolean> = {
  bias: (value) => value !== 'none',
  use_dora: (value) => value !== false,
  use_qalora: (value) => value !== false,
  lora_bias: (value) => value !== false,
  modules_to_save: (value) => !isEmpty(value) && !isScoreHead(value),
  trainable_token_indices: (value) => !isEmpty(value),
  target_parameters: (value) => !isEmpty(value),
  layer_replication: (value) => !isEmpty(value),
  alora_invocation_tokens: (value) => !isEmpty(value),
  use_bdlora: () => true,
  arrow_config: () => true,
  velora_config: () => true,
  kasa_config: () => true,
};

/** The names that PEFT gives to a sequence classifier's head, whichever it has: with SEQ_CLS it writes both. */
const isScoreHead = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => one === 'score' || one === 'classifier');

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** @throws CheckpointError naming the field that is wrong or that Keel does not have */
export function parseAdapterConfig(path: string, json: unknown): AdapterConfig {
  const result = schema.safeParse(json);
  if (!result.success) {
    const issues = result.error.issues.map(
      ({ path: field, message }) => `${field.join('.')}: ${message}`,
    );
    throw new CheckpointError({ file: path }, `is no adapter configuration: ${issues.join('; ')}`);
  }
  const config = result.data;
  if (config.peft_type !== 'LORA') {
    throw new CheckpointError(
      { file: path },
      `its peft_type is "${config.peft_type}"; Keel has LORA`,
    );
  }
  for (const [field, isSet] of Object.entries(unsupported)) {
    const value = config[field];
    if (value === undefined || value === null || !isSet(value)) continue;
    throw new CheckpointError(
      { file: path },
      `its ${field} is ${JSON.stringify(value).slice(0, 80)}, which Keel does not have: merge the adapter with PEFT and load the merged model`,
    );
  }
  return config;
}

/** Rank and scale that the configuration gives one module. @throws CheckpointError where a pattern is no regular expression */
export function rankAndScale(path: string, config: AdapterConfig, module: string) {
  const rank = fromPattern(path, config.rank_pattern, module) ?? config.r;
  const alpha = fromPattern(path, config.alpha_pattern, module) ?? config.lora_alpha;
  return { rank, scale: loraScale(alpha, rank, config.use_rslora ?? false) };
}

/** PEFT's keys are regular expressions for the end of a module's name; the first that matches counts. */
function fromPattern(
  path: string,
  patterns: Record<string, number> | null | undefined,
  module: string,
): number | undefined {
  for (const [key, value] of Object.entries(patterns ?? {})) {
    let expression: RegExp;
    try {
      expression = new RegExp(`^(.*\\.)?(${key})$`);
    } catch (cause) {
      throw new CheckpointError({ file: path }, `its pattern "${key}" is no regular expression`, {
        cause,
      });
    }
    if (expression.test(module)) return value;
  }
  return undefined;
}
