// What updates the parameters of a run.
import { AdamW, type Optimiser } from '@keel/torch';
import type { TrainingOptions } from '../config/training-options.ts';
import { workers } from '../sharing/workers.ts';
import type { Policy } from './policy.ts';

/** @throws Error where `--shard` is not possible */
export function refuseShard({
  shard,
  gradientCheckpointing,
}: Pick<TrainingOptions, 'shard' | 'gradientCheckpointing'>): void {
  if (shard === 'none') return;
  if (workers() === null) {
    const what = shard === 'full' ? 'weights and optimizer state' : "the optimizer's state";
    throw new Error(
      `--shard ${shard} divides ${what} among processes, and there is only one. Start several with torchrun, srun or keel launch`,
    );
  }
  if (shard === 'full' && gradientCheckpointing === 'off') {
    throw new Error(
      '--shard full gathers the weights of a block again in the backward pass, with its activations: --gradient-checkpointing off is not possible. Pass auto or on',
    );
  }
}

/** The share of the parameters' gradients and moments that this process has. */
export function shareOfTraining({ shard }: Pick<TrainingOptions, 'shard'>): number {
  const part = 1 / (workers()?.size ?? 1);
  if (shard === 'full') return part;
  return shard === 'optimizer' ? (1 + 2 * part) / 3 : 1;
}

/** @param rateOf factors on the learning rate, by the parameters' names (default: 1) */
export function optimiserOf(
  { parameters }: Policy,
  { weightDecay, shard }: TrainingOptions,
  rateOf = (_name: string): number => 1,
): Optimiser {
  const options = { weightDecay, rateOf };
  if (shard === 'none') return new AdamW(parameters, options);
  return workers()!.shardedAdamW(parameters, options);
}
