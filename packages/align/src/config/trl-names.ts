/**
 * What people coming from TRL (some from Axolotl or LLaMA-Factory) may write, and what it is called
 * here.
 */
const hints: Readonly<Record<string, string>> = {
  adam_beta1: 'AdamW runs with betas 0.9 and 0.999',
  bf16: 'write precision: bf16',
  chat_template_path: 'write chat_template',
  cliprange: 'write clip_range',
  cliprange_value: 'write value_clip',
  dataset_name: 'write data, with hub:owner/name for a dataset of the hub',
  dataset_text_field: 'rows have their text in the field "text"',
  delta: 'write dual_clip',
  epsilon: 'write clip_range',
  epsilon_high: 'write clip_range_high',
  eval_packing: 'rows are always packed, and none attends to another',
  eval_strategy: 'write eval_steps: N',
  f_alpha_divergence_coef: 'write f_alpha, which is 1 minus it',
  fp16: 'write precision: bf16 or fp32',
  generation_batch_size:
    'write batch_size (prompts) and num_generations; samples_in_flight is how many are sampled together',
  gradient_accumulation_steps:
    'write batch_size (rows an optimizer step) and micro_batch_size (rows at a time); the steps between follow',
  importance_sampling_level: 'write ratio_level',
  kl_coef: 'write beta',
  lam: 'write gae_lambda',
  layers_to_transform: 'write lora_layers',
  learning_rate_scheduler: 'write scheduler',
  log_completions: 'all are in samples.jsonl; give the flag --show-samples to see some',
  logging_steps: 'write log_every',
  lora_r: 'write lora_rank',
  lora_target_modules: 'write lora_targets',
  loss_type: 'write loss',
  lr: 'write learning_rate',
  lr_scheduler_type: 'write scheduler',
  mask_history: 'write assistant_turns: last',
  max_completion_length: 'write max_new_tokens',
  max_seq_length: 'write max_length',
  model_name_or_path: 'write model',
  neftune_noise_alpha: 'write neftune_alpha',
  normalize_advantages: 'write whiten_advantages',
  num_completions_to_print: 'give the flag --show-samples N',
  num_mini_batches: 'write minibatches',
  num_ppo_epochs: 'write num_iterations',
  num_train_epochs: 'write epochs',
  output_dir: 'write output',
  overwrite_output_dir: 'give the flag --overwrite',
  packing: 'rows are always packed, and none attends to another',
  padding_free: 'nothing is ever padded',
  per_device_eval_batch_size: 'write micro_batch_size; it holds for evaluation too',
  per_device_train_batch_size: 'write micro_batch_size',
  precompute_ref_log_probs: 'write precompute_reference',
  ref_model: 'write reference',
  ref_model_mixup_alpha: 'write reference_mix',
  ref_model_sync_steps: 'write reference_sync_steps',
  reference_free: 'write loss with an objective that needs no reference, such as simpo or cpo',
  report_to: 'metrics.jsonl and TensorBoard events are always written',
  response_length: 'write max_new_tokens',
  resume_from_checkpoint: 'give the flag --resume',
  reward_clip_range: 'write reward_clip',
  reward_funcs: 'write reward',
  reward_model_path: 'write reward',
  rloo_k: 'write num_generations',
  rpo_alpha: 'write loss: [sigmoid, chosen_nll_by_token] and loss_weights: [1, alpha]',
  steps_per_generation: 'write minibatches',
  sync_ref_model: 'write reference_sync_steps: N',
  train_on_inputs: 'write completion_only_loss: false',
  train_on_prompt: 'write completion_only_loss: false',
  use_bias_correction_kl: 'write kl_correction: true',
  use_cpu: 'write device: cpu',
  use_peft: 'write lora: true',
  use_weighting: 'write loss: wpo_unbounded, or wpo, which holds weights at 1',
  vf_coef: 'write value_coefficient',
};

/**
 * What to write in place of a name of TRL; null where the name is not one of TRL's, or the verb has
 * no such option.
 * @param known YAML keys of the verb
 */
export function trlHint(yamlKey: string, known: readonly string[]): string | null {
  if (!Object.hasOwn(hints, yamlKey)) return null;
  const hint = hints[yamlKey]!;
  const written = /^write (\w+)\b/.exec(hint)?.[1];
  return written === undefined || known.includes(written) ? hint : null;
}
