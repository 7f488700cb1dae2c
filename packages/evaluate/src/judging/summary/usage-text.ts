import type { JudgeUsage } from '@keel/align/judges';

/** Tokens and money; none for a judge that has neither. */
export function usageText({ promptTokens, answerTokens, cost }: JudgeUsage): string | null {
  if (promptTokens + answerTokens === 0) return null;
  const tokens = `${promptTokens.toLocaleString('en-US')} prompt tokens and ${answerTokens.toLocaleString('en-US')} answer tokens`;
  return cost === 0 ? tokens : `${tokens}, cost ${Number(cost.toPrecision(4))}`;
}
