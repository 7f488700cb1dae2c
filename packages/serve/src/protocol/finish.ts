import type { GenerationResult } from '@keel/model';

/** Why an answer ended, in OpenAI's words. */
export const finishReason = ({ finishReason }: GenerationResult): 'stop' | 'length' =>
  finishReason === 'length' ? 'length' : 'stop';

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: { cached_tokens: number };
}

export const usageOf = (prompt: number, completion: number, reused: number): Usage => ({
  ...{ prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  prompt_tokens_details: { cached_tokens: reused },
});
