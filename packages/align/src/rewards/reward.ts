import { type Content, isChat } from '../data/messages.ts';
import type { Rendering } from '../data/rendering.ts';
import type { RunningMomentsState } from './running-moments.ts';

/** One answer to judge. */
export interface RewardInput {
  prompt: Content;
  completion: Content;
  /** The other inputs of the chat template. */
  rendering?: Rendering;
  /** The row's fields that its kind does not define: tests, a reference answer, … */
  extra: Readonly<Record<string, unknown>>;
  /** Number of tokens of the completion, if known. */
  tokens?: number;
  /** What the generation prompt put before a sampled completion, such as `<think>\n`. */
  opened?: string;
}

export interface RewardOutcome {
  /** Higher is better; null: this reward does not score the answer. */
  score: number | null;
  /** The parts of the score, by name. */
  aspects?: Record<string, number>;
  /** The reason, in words. */
  note?: string;
}

/** Running statistics and multipliers of a reward; part of a checkpoint. */
export interface RewardState {
  scales: Record<string, RunningMomentsState>;
  multipliers: Record<string, number>;
}

/**
 * Anything that scores answers: a trained model, a function, a rule, tests, or a combination of
 * these.
 */
export interface Reward {
  readonly name: string;
  /** Whether its calls may run concurrently with other rewards: they use no model of Keel. */
  readonly concurrent?: boolean;
  /**
   * @returns one outcome per input, in order
   * @throws RewardError if one of them cannot be judged, the signal's reason once it is aborted
   */
  score(inputs: readonly RewardInput[], signal?: AbortSignal): Promise<RewardOutcome[]>;
  /** As `score`, for the answers of a training step: also updates what the reward keeps of them. */
  learn?(inputs: readonly RewardInput[], signal?: AbortSignal): Promise<RewardOutcome[]>;
  /** Whether `learn` has an effect (default: where there is one). */
  readonly learns?: boolean;
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
  /** Index of the input, from 0. */
  readonly index: number;

  constructor(index: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.index = index;
  }
}

/**
 * A reward that cannot read one of its inputs: the row is at fault, whatever its score would be.
 */
export class UnreadableInputError extends RewardError {}

/** The assistant's text in a completion, or any plain text as it is. */
export function spokenText(content: Content): string {
  if (!isChat(content)) return content;
  const spoken = content.filter(({ role }) => role === 'assistant');
  return spoken.map((message) => message.content).join('\n');
}
