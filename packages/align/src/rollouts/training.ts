// What the optimizer steps on a rollout batch train on. Each kind serialises itself.
import { fromTypedArray, type Tensor } from '@keel/torch';
import type { PreferencePair } from '../objectives/online/preference-pairs.ts';
import type { RolloutLayout } from '../objectives/online/rollout.ts';
import type { TaskState } from '../training/training-task.ts';

/** Every answer, each token weighted by its advantage. */
export interface AdvantageTraining {
  kind: 'advantages';
  /** [N] */
  advantages: Float64Array;
  /** For a critic (PPO): its values when the batch was sampled, and its targets; [N] each. */
  critic?: { values: Float64Array; returns: Float64Array };
}

/** Pairs of answers to the same prompt (online DPO, D2PO). */
export interface PairTraining {
  kind: 'pairs';
  pairs: readonly PreferencePair[];
}

/** Some of the answers, for supervised fine-tuning (RAFT). */
export interface KeptTraining {
  kind: 'kept';
  /** Which answers, in ascending order. */
  sequences: readonly number[];
}

export type Training = AdvantageTraining | PairTraining | KeptTraining;

/**
 * The sequences of one term of the loss, which must stay in one optimizer step: an answer, or the
 * chosen and the rejected answer of a pair.
 */
export type Unit = readonly number[];

export function unitsOf(training: Training, layout: RolloutLayout): Unit[] {
  switch (training.kind) {
    case 'advantages':
      return Array.from(layout.groups, (_, sequence) => [sequence]);
    case 'pairs':
      return training.pairs.map(({ chosen, rejected }) => [chosen, rejected]);
    case 'kept':
      return training.sequences.map((sequence) => [sequence]);
  }
}

const PREFIX = 'rollout/training/';

export function trainingState(training: Training): TaskState {
  const tensors = new Map<string, Tensor>();
  const add = (name: string, values: Float64Array): void =>
    void tensors.set(PREFIX + name, fromTypedArray(values));
  if (training.kind !== 'advantages') return { values: { ...training }, tensors };
  add('advantages', training.advantages);
  if (training.critic !== undefined) {
    add('values', training.critic.values);
    add('returns', training.critic.returns);
  }
  return { values: { kind: training.kind }, tensors };
}

/** @throws Error if the state is of an unknown kind, or incomplete */
export function trainingFrom({ values, tensors }: TaskState): Training {
  const numbersOf = (name: string): Float64Array | null => {
    const found = tensors.get(PREFIX + name);
    return found === undefined ? null : Float64Array.from(found.toArray());
  };
  const { kind, pairs, sequences } = values as Partial<Record<string, unknown>>;
  if (kind === 'pairs' && Array.isArray(pairs)) return { kind, pairs };
  if (kind === 'kept' && Array.isArray(sequences)) return { kind, sequences };
  const [advantages, own, returns] = ['advantages', 'values', 'returns'].map(numbersOf);
  if (kind !== 'advantages' || !advantages || (own === null) !== (returns === null)) {
    throw new Error('the saved rollout batch does not say what it trains on');
  }
  return { kind, advantages, ...(own && returns && { critic: { values: own, returns } }) };
}
