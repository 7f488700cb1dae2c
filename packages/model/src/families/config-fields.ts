// What happens to each field of a config.json. A family's schema reads it, or its value must be one
// for which Keel computes the right result, or it is known to have no effect. A notice names the
// fields that transformers' own class does not read either.
import { ConfigError } from './config-error.ts';
import { rotaryFieldNames } from './rotary.ts';

type Json = Readonly<Record<string, unknown>>;

/** By reason. None of them changes what a decoder computes at evaluation. */
const withoutEffect: Record<string, readonly string[]> = {
  'origin of the file': [
    ...['transformers_version', '_name_or_path', 'name_or_path', '_commit_hash', 'model_name'],
    ...['unsloth_version', 'unsloth_fixed', 'transformers.js_config', 'is_llama_config'],
    ...['finetuning_task', 'task_specific_params', 'tokenizer_class', 'prefix', 'max_length'],
    ...['model_max_length', 'auto_map', '_sliding_window_pattern', 'n_ctx'],
    ...['max_window_layers'],
  ],
  // Weights are converted to the compute type.
  'storage and compute types': ['dtype', 'torch_dtype', 'fp16', 'bf16', 'use_bfloat16'],
  'initialisation and training memory': [
    ...['initializer_range', 'gradient_checkpointing', 'summary_first_dropout'],
  ],
  // Split or fused, the products give the same numbers.
  'alternative implementations': [
    ...['pretraining_tp', 'chunk_size_feed_forward', 'reorder_and_upcast_attn', 'torchscript'],
    ...['_attn_implementation', 'attn_implementation', '_attn_implementation_autoset'],
    ...['_attn_implementation_internal', '_experts_implementation', 'use_flash_attn'],
    ...['_experts_implementation_internal', '_flash_attn_2_enabled', 'tf_legacy_loss'],
  ],
  'return values': [
    ...['use_cache', 'output_hidden_states', 'output_attentions', 'return_dict'],
    ...['use_return_dict', 'cache_implementation', 'is_decoder', 'tie_encoder_decoder'],
  ],
  // The tokenizer's files and generation_config.json define these tokens.
  'special tokens': [
    ...['bos_token_id', 'eos_token_id', 'sep_token_id', 'cls_token_id', 'mask_token_id'],
    ...['unk_token_id', 'decoder_start_token_id'],
  ],
  // Read with a scalar head (heads/classifier-config.ts).
  'labels of classifiers': ['id2label', 'label2id', 'num_labels', 'problem_type', '_num_labels'],
  // From GPT2DoubleHeadsModel.
  'heads of other classes': [
    ...['summary_type', 'summary_use_proj', 'summary_activation', 'summary_proj_to_labels'],
  ],
  // transformers 5 drops them too: they belong in generation_config.json, and Keel has its own
  // options.
  generation: [
    ...['min_length', 'max_new_tokens', 'min_new_tokens', 'early_stopping', 'max_time'],
    ...['stop_strings', 'do_sample', 'num_beams', 'num_beam_groups', 'penalty_alpha'],
    ...['dola_layers', 'temperature', 'top_k', 'top_p', 'min_p', 'top_h', 'typical_p'],
    ...['epsilon_cutoff', 'eta_cutoff', 'repetition_penalty', 'encoder_repetition_penalty'],
    ...['length_penalty', 'no_repeat_ngram_size', 'bad_words_ids', 'renormalize_logits'],
    ...['constraints', 'forced_bos_token_id', 'forced_eos_token_id', 'remove_invalid_values'],
    ...['exponential_decay_length_penalty', 'suppress_tokens', 'begin_suppress_tokens'],
    ...['sequence_bias', 'token_healing', 'guidance_scale', 'watermarking_config'],
    ...['num_return_sequences', 'output_scores', 'output_logits', 'return_dict_in_generate'],
    ...['encoder_no_repeat_ngram_size', 'num_assistant_tokens', 'num_assistant_tokens_schedule'],
    ...['assistant_confidence_threshold', 'prompt_lookup_num_tokens', 'is_assistant'],
    ...['max_matching_ngram_size', 'assistant_early_exit', 'assistant_lookbehind'],
    ...['target_lookbehind', 'cache_config', 'disable_compile', 'low_memory', 'diversity_penalty'],
    ...['prefill_chunk_size', 'compile_config', 'forced_decoder_ids', 'force_words_ids'],
    ...['generation_kwargs', 'transformers_weights'],
  ],
};

// They act only in training. There Keel applies no dropout to the base, as TRL with
// disable_dropout.
const dropouts = ['attention_dropout', 'resid_pdrop', 'embd_pdrop', 'attn_pdrop', 'hidden_dropout'];

interface Rule {
  isFine(value: unknown, json: Json): boolean;
  /** What to say about any other value. */
  expected: string;
}

const isUnset = (value: unknown): boolean =>
  value === null || value === false || (typeof value === 'object' && isEmpty(value));
const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

const unset = (expected: string): Rule => ({ isFine: isUnset, expected });

/** Fields that change the result with any value but these. */
const rules: Record<string, Rule> = {
  is_encoder_decoder: unset('Keel supports decoder-only models'),
  add_cross_attention: unset('Keel does not support cross-attention'),
  is_causal: { isFine: (value) => value === true, expected: 'Keel supports causal models only' },
  use_bidirectional_attention: unset('Keel supports causal models only'),
  per_layer_config: unset('Keel does not support a configuration for each layer'),
  pruned_heads: unset('Keel does not prune heads; save the pruned weights'),
  attention_chunk_size: unset('Keel does not support chunked attention'),
  num_kv_shared_layers: {
    isFine: (value) => value === null || value === 0,
    expected: 'Keel does not support layers that share keys and values',
  },
  quantization_config: unset('Keel reads unquantised weights, or quantised ones as GGUF'),
  compression_config: unset('Keel reads unquantised weights, or quantised ones as GGUF'),
  scale_attn_by_inverse_layer_idx: unset('Keel does not support it'),
  // For the families that do not read them. transformers' caches do, so a prompt and its
  // continuation would be computed differently.
  sliding_window: unset('layers of this family have no sliding window'),
  layer_types: {
    isFine: (value, { sliding_window: window }) => {
      const type = typeof window === 'number' ? 'sliding_attention' : 'full_attention';
      return value === null || (Array.isArray(value) && value.every((one) => one === type));
    },
    expected: 'all layers of this family have the same attention',
  },
};

// transformers maps them to GPT-2's own names and gives them precedence.
const aliases: Record<string, Record<string, string>> = {
  gpt2: {
    hidden_size: 'n_embd',
    max_position_embeddings: 'n_positions',
    num_attention_heads: 'n_head',
    num_hidden_layers: 'n_layer',
  },
};

const harmless = new Set(Object.values(withoutEffect).flat());

/** How a field is treated; null: neither Keel nor transformers reads it. */
export function treatmentOf(
  field: string,
  modelType: string,
  read: ReadonlySet<string>,
): 'read' | 'checked' | 'dropout' | 'without effect' | null {
  if (read.has(field) || ['architectures', 'model_type', 'pad_token_id'].includes(field)) {
    return 'read';
  }
  if (Object.hasOwn(rules, field) || Object.hasOwn(aliases[modelType] ?? {}, field)) {
    return 'checked';
  }
  if (dropouts.includes(field)) return 'dropout';
  return harmless.has(field) ? 'without effect' : null;
}

/**
 * Checks every field against what Keel does with it.
 * @param read the fields that the family's schema reads
 * @returns notices about fields without effect here, a sentence each
 * @throws ConfigError naming a field with a value that Keel does not support
 */
export function checkFields(json: Json, modelType: string, read: ReadonlySet<string>): string[] {
  const ignored: string[] = [];
  const dropped: string[] = [];
  for (const [field, value] of Object.entries(json)) {
    if (value === undefined) continue;
    const treatment = treatmentOf(field, modelType, read);
    if (treatment === 'checked') checkField(field, value, json, modelType);
    else if (treatment === 'dropout' && Number(value) > 0) dropped.push(`${field} ${value}`);
    else if (treatment === null && !isUnset(value) && value !== 0 && value !== '') {
      // Gemma's early files have it beside hidden_activation, which the family reads.
      const isGelu = field === 'hidden_act' && /^gelu/.test(String(value));
      if (!isGelu) ignored.push(field);
    }
  }
  ignored.push(...ignoredRotary(json, modelType));
  const isCustom = typeof json.auto_map === 'object' && json.auto_map !== null;
  return [
    ...(ignored.length === 0
      ? []
      : [
          `these fields have no effect (transformers' ${modelType} ignores them too): ${ignored.join(', ')}`,
        ]),
    ...(dropped.length === 0
      ? []
      : [`Keel trains the base model without dropout (the file sets ${dropped.join(', ')})`]),
    ...(isCustom && !isEmpty(json.auto_map as object)
      ? [
          `Keel does not run the code that auto_map names; it uses transformers' ${modelType} architecture`,
        ]
      : []),
  ];
}

function checkField(field: string, value: unknown, json: Json, modelType: string): void {
  const own = aliases[modelType]?.[field];
  if (own !== undefined) {
    if (value === json[own]) return;
    throw new ConfigError(
      `field ${field} is ${JSON.stringify(value)} and ${own} is ${JSON.stringify(json[own])}, but both mean the same. Remove ${field}`,
    );
  }
  const { isFine, expected } = rules[field]!;
  if (isFine(value, json)) return;
  const text = JSON.stringify(value);
  throw new ConfigError(
    `field ${field} is ${text.length <= 80 ? text : `${text.slice(0, 77)}...`}: ${expected}`,
  );
}

/** Names in the objects with rotary parameters that their `rope_type` does not read. */
function ignoredRotary(json: Json, modelType: string): string[] {
  return ['rope_parameters', 'rope_scaling'].flatMap((field) => {
    const object = json[field];
    if (typeof object !== 'object' || object === null) return [];
    const { full_attention: full, sliding_attention: sliding, ...flat } = object as Json;
    const parts: [string, unknown][] = [
      [field, flat],
      [`${field}.full_attention`, full],
      [`${field}.sliding_attention`, sliding],
    ];
    return parts.flatMap(([path, part]) => unreadIn(path, part, modelType));
  });
}

function unreadIn(path: string, part: unknown, modelType: string): string[] {
  if (typeof part !== 'object' || part === null) return [];
  const { rope_type, type = rope_type ?? 'default' } = part as Json;
  // "finetuned" is from the first YaRN checkpoints and records how they were made.
  const named = String(rope_type ?? type);
  // Phi-3 has its own names.
  const isOwn = modelType === 'phi3' && ['su', 'yarn'].includes(named);
  const read = [...(rotaryFieldNames(isOwn ? 'longrope' : named) ?? []), 'finetuned'];
  // Many files hold an original length although their type does not use it.
  const known = new Set([...read, 'rope_theta', 'original_max_position_embeddings']);
  return Object.entries(part)
    .filter(([name, value]) => !known.has(name) && !isUnset(value))
    .map(([name]) => `${path}.${name}`);
}
