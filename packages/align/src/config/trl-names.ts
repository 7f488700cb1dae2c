/** What people coming from TRL (some from Axolotl or LLaMA-Factory) may write, and what it is called here. */
const hints: Readonly<Record<string, string>> = {
  adam_beta1: 'AdamW runs with betas 0.9 and 0.999',
  bf16: 'write precision: bf16',
  dataset_name: 'write data, with hub:owner/name for a dataset of the hub',
  dataset_text_field: 'rows have their text in the field "text"',
  eval_packing: 'rows are always packed, and none attends to another',
  eval_strategy: 'write eval_steps: N',
  f_alpha_divergence_coef: 'write f_alpha, which is 1 minus it',
  fp16: 'write precision: bf16 or fp32',
  gradient_accumulation_steps:
    'write batch_size (rows an optimizer step) and micro_batch_size (rows at a time); the steps between follow',
  layers_to_transform: 'write lora_layers',
  learning_rate_scheduler: 'write scheduler',
  logging_steps: 'write log_every',
  lora_r: 'write lora_rank',
  lora_target_modules: 'write lora_targets',
  loss_type: 'write loss',
  lr: 'write learning_rate',
  lr_scheduler_type: 'write scheduler',
  mask_history: 'write assistant_turns: last',
  max_seq_length: 'write max_length',
  model_name_or_path: 'write model',
  neftune_noise_alpha: 'write neftune_alpha',
  num_train_epochs: 'write epochs',
  output_dir: 'write output',
  overwrite_output_dir: 'give the flag --overwrite',
  packing: 'rows are always packed, and none attends to another',
  padding_free: 'nothing is ever padded',
  per_device_eval_batch_size: 'write micro_batch_size; it holds for evaluation too',
  per_device_train_batch_size: 'write micro_batch_size',
  precompute_ref_log_probs: 'write precompute_reference',
  ref_model: 'write reference',
  reference_free: 'write loss with an objective that needs no reference, such as simpo or cpo',
  report_to: 'metrics.jsonl and TensorBoard events are always written',
  resume_from_checkpoint: 'give the flag --resume',
  rpo_alpha: 'write loss: [sigmoid, chosen_nll] and loss_weights: [1, alpha]',
  train_on_inputs: 'write completion_only_loss: false',
  train_on_prompt: 'write completion_only_loss: false',
  use_cpu: 'write device: cpu',
  use_peft: 'write lora: true',
  use_weighting: 'write loss: wpo',
};

/**
 * What to write in place of a name of TRL; null where the name is not one of TRL's, or the verb has no such option.
 * @param known YAML keys of the verb
 */
export function trlHint(yamlKey: string, known: readonly string[]): string | null {
  if (!Object.hasOwn(hints, yamlKey)) return null;
  const hint = hints[yamlKey]!;
  const written = /^write (\w+)\b/.exec(hint)?.[1];
  return written === undefined || known.includes(written) ? hint : null;
}
