// What an audit compares: answers to the same prompts before and after.

export interface AuditedAnswer {
  text: string;
  /** Whether it came to its end before a limit; null: not known. */
  ended: boolean | null;
  /** By the reward that was trained on, the proxy; null: not known. */
  reward: number | null;
  /** By what the reward stands for: another reward, a judge, people; null: not known. */
  gold: number | null;
  /** How much the members of an ensemble of rewards differ on it; null or absent: not known. */
  deviation?: number | null;
}

/** What an answer may have a number of. */
export type AuditedScore = 'reward' | 'gold' | 'deviation';

/** A prompt with at least one answer on each side. */
export interface AuditedPrompt {
  prompt: string;
  before: readonly AuditedAnswer[];
  after: readonly AuditedAnswer[];
}

export type Side = 'before' | 'after';
export const sides = ['before', 'after'] as const satisfies readonly Side[];

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** [P] means of a score on one side; null for a prompt of which an answer has none. */
export const promptScores = (
  prompts: readonly AuditedPrompt[],
  side: Side,
  score: AuditedScore,
): (number | null)[] =>
  prompts.map((prompt) => {
    const found = prompt[side].map((answer) => answer[score] ?? null);
    return found.includes(null) ? null : mean(found as number[]);
  });
