// What may differ between a run and its continuation. Every other option must stay the same;
// contents of files are compared by their hashes (training/run-identity.ts).

/** Options that change no number of the run, by their YAML keys. */
const free = [
  ...['output', 'eval_steps', 'save_steps', 'save_total_limit', 'log_every'],
  // The same gradient, bit for bit.
  'gradient_checkpointing',
  ...['reward_concurrency', 'reward_timeout'],
];

/** Options that may change, and whose effect on the run is reported. */
const reported = [
  // Schedules follow the number of steps (training/other-plan.ts).
  ...['max_steps', 'epochs'],
  // Other threads add in another order (describeOtherMachine).
  'threads',
];

/** YAML keys of options that may differ from the run that is resumed. */
export const changeableOnResume: readonly string[] = [...free, ...reported];
