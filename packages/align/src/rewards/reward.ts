import { type Content, isChat } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';
import type { RunningMomentsState } from './running-moments.ts';

/** One answer to be judged. */
export interface RewardInput {
  prompt: Content;
  completion: Content;
  /** What the chat template is given beside the messages. */
  rendering?: Rendering;
  /** The row's fields that its kind does not know: tests, a reference answer, … */
  extra: Readonly<Record<string, unknown>>;
  /** The completion's tokens, where they are known. */
  tokens?: number;
  /** What the generation prompt put before a sampled completion, such as `<think>\n`. */
  opened?: string;
}

export interface RewardOutcome {
  /** More is better; null: this reward says nothing of the answer. */
  score: number | null;
  /** What the score is made of, by name. */
  aspects?: Record<string, number>;
  /** Why, in words. */
  note?: string;
}

/** Running statistics and multipliers of a reward; part of a checkpoint. */
export interface RewardState {
  scales: Record<string, RunningMomentsState>;
  multipliers: Record<string, number>;
}

/**
 * Anything that tells how good answers are: a trained model, a function, a rule, tests, a mixture
 * of these.
 */
export interface Reward {
  readonly name: string;
  /** Its calls may run next to those of other rewards: they need no model of ours. */
  readonly concurrent?: boolean;
  /**
   * @returns an outcome an input, in their order
   * @throws RewardError where one of them cannot be judged, the signal's reason once it is aborted
   */
  score(inputs: readonly RewardInput[], signal?: AbortSignal): Promise<RewardOutcome[]>;
  /** As `score`, for the answers of a training step: also updates what the reward keeps of them. */
  learn?(inputs: readonly RewardInput[], signal?: AbortSignal): Promise<RewardOutcome[]>;
  /** Names of the aspects that are rewards and count, where it is made of several. */
  readonly counted?: readonly string[];
  /** Its own numbers for the metrics of a step. */
  metrics?(): Record<string, number>;
  /** What it must keep to resume bit for bit, as JSON. */
  state?(): RewardState;
  /** @throws Error where the state is of another reward */
  restore?(state: RewardState): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A reward that failed on one of its inputs. */
export class RewardError extends Error {
  override readonly name = 'RewardError';
  /** Which input, counted from 0. */
  readonly index: number;

  constructor(index: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.index = index;
  }
}

/**
 * A reward that cannot read one of its inputs, whatever it would say of it: the row is to blame.
 */
export class UnreadableInputError extends RewardError {}

/** What the assistant says in a completion, or any text as it stands. */
export function spokenText(content: Content): string {
  if (!isChat(content)) return content;
  const spoken = content.filter(({ role }) => role === 'assistant');
  return spoken.map((message) => message.content).join('\n');
}

/**
 * The whole message that an answer is part of: what the generation prompt opened, and what the
 * assistant says.
 */
export const wholeMessage = ({ completion, opened = '' }: RewardInput): string =>
  opened + spokenText(completion);
