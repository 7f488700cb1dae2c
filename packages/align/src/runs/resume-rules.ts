// What may differ when a run is resumed. Every other option must stay the same; the contents of
// files are compared by their hashes (training/run-identity.ts).

/** Options that do not change the numbers of the run, by their YAML keys. */
const free = [
  ...['output', 'eval_steps', 'save_steps', 'save_total_limit', 'log_every'],
  ...['sample_prompts', 'sample_tokens', 'eval_suites', 'max_kl', 'on_alarm'],
  // The same gradient, bit for bit.
  'gradient_checkpointing',
  ...['reward_concurrency', 'reward_timeout', 'process_timeout'],
  ...['rollouts', 'rollout_adapters', 'rollout_timeout'],
];

/** Options that may change, with a report of the effect on the run. */
const reported = [
  // Schedules follow the number of steps (training/other-plan.ts).
  ...['max_steps', 'epochs'],
  // A different number of threads adds in a different order (describeOtherMachine).
  'threads',
  // The norm of divided gradients is added in another order.
  'shard',
];

/** YAML keys of options that may differ when a run is resumed. */
export const changeableOnResume: readonly string[] = [...free, ...reported];
