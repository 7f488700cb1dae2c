const promptVerbs = [
  ...(['ppo', 'grpo', 'rloo', 'reinforce', 'remax'] as const),
  ...(['online-dpo', 'd2po', 'raft', 'best-of-n', 'generate'] as const),
] as const;

/** The verbs whose view of a row can be shown. */
export const viewVerbs = ['sft', 'dpo', 'kto', 'reward', 'score', ...promptVerbs] as const;
export type ViewVerb = (typeof viewVerbs)[number];
