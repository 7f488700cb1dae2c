// The input and result of a reward function.
import { plainNumbers } from '@keel/model/exact-json';
import { type RewardInput, type RewardOutcome, spokenText } from './reward.ts';

/** An answer as a reward function receives it. */
export interface FunctionInput extends RewardInput {
  /**
   * The assistant's text: the completion itself if it is plain, the assistant's turns if it is a
   * chat.
   */
  text: string;
  /**
   * What the generation prompt put before `text`, such as `<think>\n`; empty if it opened nothing.
   */
  opened: string;
}

/** What a reward function receives about its call. */
export interface FunctionCall {
  /**
   * Fires when the call is cancelled: the time is up, another call failed, or the run was stopped.
   */
  signal: AbortSignal;
}

/** The verdict on one answer. Higher is better, null is no score; an outcome may name aspects. */
export type Verdict = number | null | RewardOutcome;

/** A reward function of one answer: what a module may export. */
export type RewardFunction = (
  input: FunctionInput,
  call: FunctionCall,
) => Verdict | Promise<Verdict>;

/**
 * A reward function of all answers of a rollout batch: what a module with
 * `export const batched = true` may export.
 * @returns one verdict per answer, in order
 */
export type BatchedRewardFunction = (
  answers: FunctionInput[],
  call: FunctionCall,
) => readonly Verdict[] | Promise<readonly Verdict[]>;

/** Number of tokens of a text. @throws Error if the tokenizer is not available */
export type CountTokens = (text: string) => number;

/**
 * An answer as functions receive it, with JavaScript numbers.
 * @param count counts the tokens of an answer that was not sampled, when a function reads them
 */
export function functionInput(input: RewardInput, count?: CountTokens): FunctionInput {
  const text = spokenText(input.completion);
  const given: FunctionInput = {
    ...input,
    prompt: plainNumbers(input.prompt),
    completion: plainNumbers(input.completion),
    text,
    opened: input.opened ?? '',
  };
  if (input.tokens !== undefined || count === undefined) return given;
  // One more for the end token, which sampled answers include.
  return Object.defineProperty(given, 'tokens', { enumerable: true, get: () => count(text) + 1 });
}
