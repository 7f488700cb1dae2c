// What best-of-n sampling is asked, and what it tells while it runs.
import type { GenerateOptions, Precision } from '@keel/model';
import type { TemplateOptions } from '../../config/template-options.ts';
import type { BestOfNForm } from './sampled-prompt.ts';

export interface BestOfNOptions extends TemplateOptions {
  model: string;
  adapter: string | null;
  precision: Precision;
  device: string;
  threads: number | null;
  data: readonly string[];
  onBadRow: 'fail' | 'skip';
  reward: string;
  /**
   * Calls of an asynchronous reward function that run side by side, and the seconds that one may
   * take.
   */
  rewardConcurrency: number;
  rewardTimeout: number | null;
  unsafeCode: boolean;
  /** What an answer loses that was cut off. */
  missingEosPenalty: number;
  /** n: answers to each prompt. */
  numGenerations: number;
  sampling: Required<
    Pick<
      GenerateOptions,
      | 'maxNewTokens'
      | 'minNewTokens'
      | 'temperature'
      | 'topK'
      | 'topP'
      | 'minP'
      | 'repetitionPenalty'
      | 'stopStrings'
      | 'seed'
    >
  >;
  /** Answers in flight. */
  batchSize: number;
  output: string;
  write: BestOfNForm;
  overwrite: boolean;
}

export interface BestOfNProgress {
  /** Answers that are done, of how many; those of an earlier call count. */
  answers: number;
  total: number;
  /** Tokens sampled by this call. */
  tokens: number;
  /** Mean reward of an answer, and of the best of n; null before the first prompts are judged. */
  means: { mean: number; best: number } | null;
}

export interface BestOfNHooks {
  onProgress?(progress: BestOfNProgress): void;
  onNotice?(text: string): void;
  /** Ends the job: what is judged is kept, and the same call goes on from there. */
  signal?: AbortSignal;
}
