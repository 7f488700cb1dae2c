// What an online run gives its rollout worker and its passes.
import type { LanguageModel, Role } from '@keel/model';
import type { AnswerConstraints } from '../batching/answer-constraints.ts';
import type { MicroBatchLimit } from '../batching/micro-batches.ts';
import type { PackedJudged } from '../batching/pack-judged.ts';
import type { PackedRollouts } from '../batching/pack-rollouts.ts';
import type { MovingReference } from '../reference/moving-reference.ts';
import type { Reward } from '../rewards/reward.ts';
import type { ServedPolicy } from './servers/served-policy.ts';

/** What an online run has in memory, and how to use it. */
export interface OnlineParts {
  model: LanguageModel;
  /** The role that samples and is trained. */
  role: Role;
  /** The policy before training: the KL of held-out answers is to it. */
  referenceRole: Role;
  /** The reference that training compares with, if it follows the policy. */
  movingReference: MovingReference | null;
  reward: Reward;
  /** What the reward stands for: scores held-out answers (default: nothing does). */
  gold?: Reward | null;
  /** Servers that sample instead of this process (default: none). */
  servers?: ServedPolicy | null;
  /** Number of optimizer steps so far; needed with servers. */
  version?(): number;
  /** What all answers match, also held-out ones and baselines (default: null, anything). */
  constraints?: AnswerConstraints | null;
  seed: number;
  /** Maximum size of a pass. */
  limit: MicroBatchLimit;
  /** Whether a pass of this many tokens recomputes its activations. */
  recomputes?(tokens: number): boolean;
  /** Names a row in messages. */
  place(row: number, heldOut: boolean): string;
  /** Aborts rewards in progress; waiting for them then rejects with its reason. */
  signal?: AbortSignal | undefined;
  /** Called every second, with the seconds so far, while the reward takes longer than two. */
  onWait?(seconds: number): void;
  /** Receives warnings about rewards that have no effect. */
  notice?(text: string): void;
  /**
   * Whether the gradient of the current step is whole after the passes of its answers (default: it
   * is).
   */
  endsStep?(): boolean;
  /** Called for every forward pass. */
  countForward?(pass: PackedRollouts): void;
  /** Called for every training pass, forward and backward. */
  countTraining?(pass: PackedRollouts): void;
  /** Called for every pass that trains another model while batches are made. */
  countLearning?(pass: PackedJudged): void;
}
