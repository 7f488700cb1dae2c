/** Headings of --help and of config.yaml, in the order in which they are listed. */
export const optionGroups = [
  'Prompt',
  'Answers',
  'Judge',
  'Suites',
  'Model and data',
  'Entries',
  'Objective',
  'Reward',
  'KL and reference',
  'Pairs',
  'Rejection sampling',
  'Gold labels',
  'Critique and revision',
  'Labels',
  'Project',
  'Sampling',
  'Policy update',
  'Critic',
  'Discriminator',
  'Refreshing the reward model',
  'Reward head',
  'Ensemble and normalisation',
  'LoRA',
  'Optimisation',
  'Batching and length',
  'Pretraining mix',
  'Objective-specific options',
  'Evaluation and checkpoints',
  'Ratings',
  'Output',
  'Server',
  'Machine',
  'Command line only',
] as const;

export type OptionGroup = (typeof optionGroups)[number];

/** Sorts options by their groups; within a group they stay in the order of the schema. */
export const inGroupOrder = <Grouped extends { group: OptionGroup }>(
  options: readonly Grouped[],
): Grouped[] => {
  const rank = ({ group }: Grouped): number => optionGroups.indexOf(group);
  return options.toSorted((a, b) => rank(a) - rank(b));
};
