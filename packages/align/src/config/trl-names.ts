import type { OptionDescriptor } from './options.ts';

/**
 * What to write instead of a name of TRL (or of Axolotl or LLaMA-Factory). `{key}` or
 * `{key: value}` names an option; it is printed as a YAML key or as a flag.
 */
const hints: Readonly<Record<string, string>> = {
  adam_beta1: "AdamW's betas are always 0.9 and 0.999",
  bf16: 'use {precision: bf16}',
  chat_template_path: 'use {chat_template}',
  cliprange: 'use {clip_range}',
  cliprange_value: 'use {value_clip}',
  dataset_name: 'use {data}, with hub:owner/name for a dataset of the hub',
  dataset_text_field: 'the text of a row is its field "text"',
  delta: 'use {dual_clip}',
  early_stopping: 'use {early_stopping_patience: N} with {best_metric}',
  epsilon: 'use {clip_range}',
  epsilon_high: 'use {clip_range_high}',
  eval_packing: 'rows are always packed, without attending to each other',
  eval_strategy: 'use {eval_steps: N}',
  f_alpha_divergence_coef: 'use {f_alpha}, which is 1 minus this coefficient',
  fp16: 'use {precision: bf16} or fp32',
  generation_batch_size:
    'use {batch_size} (prompts) and {num_generations}; {samples_in_flight} is the number of answers sampled at the same time',
  greater_is_better: 'use {best_metric_goal: higher}, or lower',
  gradient_accumulation_steps:
    'use {batch_size} (rows per optimizer step) and {micro_batch_size} (rows per pass); their quotient is the number of accumulation steps',
  importance_sampling_level: 'use {ratio_level}',
  kl_coef: 'use {beta}',
  lam: 'use {gae_lambda}',
  layers_to_transform: 'use {lora_layers}',
  learning_rate_scheduler: 'use {scheduler}',
  load_best_model_at_end: 'use {best_metric: eval_loss}',
  log_completions: 'use {show_samples}; samples.jsonl has all answers',
  logging_steps: 'use {log_every}',
  lora_r: 'use {lora_rank}',
  lora_target_modules: 'use {lora_targets}',
  loss_type: 'use {loss}',
  lr: 'use {learning_rate}',
  lr_scheduler_type: 'use {scheduler}',
  mask_history: 'use {assistant_turns: last}',
  max_completion_length: 'use {max_new_tokens}',
  max_seq_length: 'use {max_length}',
  metric_for_best_model: 'use {best_metric}',
  model_name_or_path: 'use {model}',
  neftune_noise_alpha: 'use {neftune_alpha}',
  normalize_advantages: 'use {whiten_advantages}',
  num_completions_to_print: 'use {show_samples: N}',
  num_mini_batches: 'use {minibatches}',
  num_ppo_epochs: 'use {num_iterations}',
  num_train_epochs: 'use {epochs}',
  output_dir: 'use {output}',
  overwrite_output_dir: 'use {overwrite}',
  packing: 'rows are always packed, without attending to each other',
  padding_free: 'batches are never padded',
  per_device_eval_batch_size: 'use {micro_batch_size}, which applies to evaluation too',
  per_device_train_batch_size: 'use {micro_batch_size}',
  precompute_ref_log_probs: 'use {precompute_reference: true}',
  ref_model: 'use {reference}',
  ref_model_mixup_alpha: 'use {reference_mix}',
  ref_model_sync_steps: 'use {reference_sync_steps}',
  reference_free: 'use {loss} with an objective without a reference, such as simpo or cpo',
  report_to: 'metrics.jsonl and TensorBoard events are always written',
  response_length: 'use {max_new_tokens}',
  resume_from_checkpoint: 'use {resume}',
  reward_clip_range: 'use {reward_clip}',
  reward_funcs: 'use {reward}',
  reward_model_path: 'use {reward}',
  rloo_k: 'use {num_generations}',
  rpo_alpha: 'use {loss: sigmoid,chosen_nll_by_token} and {loss_weights: 1,alpha}',
  steps_per_generation: 'use {minibatches}',
  sync_ref_model: 'use {reference_sync_steps: N}',
  train_on_inputs: 'use {completion_only_loss: false}',
  train_on_prompt: 'use {completion_only_loss: false}',
  use_bias_correction_kl: 'use {kl_correction: true}',
  use_cpu: 'use {device: cpu}',
  use_peft: 'use {lora: true}',
  use_weighting: 'use {loss: wpo_unbounded}, or wpo, which clips the weights at 1',
  vf_coef: 'use {value_coefficient}',
};

type Named = Pick<OptionDescriptor, 'yamlKey' | 'flag' | 'negatedFlag' | 'flagOnly'>;

/**
 * What to write instead of a name of TRL; null if TRL has no such name, or the verb lacks an option
 * that the hint names.
 * @param name in snake_case
 * @param form how the hint names options
 */
export function trlHint(
  name: string,
  descriptors: readonly Named[],
  form: 'yaml' | 'flag',
): string | null {
  if (!Object.hasOwn(hints, name)) return null;
  let complete = true;
  const hint = hints[name]!.replaceAll(/\{(\w+)(?:: ([^}]+))?\}/g, (_, key: string, value = '') => {
    const found = descriptors.find(({ yamlKey }) => yamlKey === key);
    complete &&= found !== undefined;
    if (found === undefined) return '';
    if (form === 'flag') return asFlag(found, value);
    if (found.flagOnly) return `the flag ${asFlag(found, value)}`;
    return value === '' ? key : `${key}: ${value}`;
  });
  return complete ? hint : null;
}

function asFlag({ flag, negatedFlag }: Named, value: string): string {
  if (value === 'true') return flag;
  if (value === 'false') return negatedFlag ?? flag;
  return value === '' ? flag : `${flag} ${value}`;
}
