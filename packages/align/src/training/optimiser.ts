// What updates the parameters of a run.
import { AdamW, type Optimiser } from '@keel/torch';
import type { TrainingOptions } from '../config/training-options.ts';
import { workers } from '../sharing/workers.ts';
import type { Policy } from './policy.ts';

/**
 * @param isOwn whether the kind of training has an optimizer of its own
 * @throws Error where `--shard` is not possible
 */
export function refuseShard(
  { shard, gradientCheckpointing }: Pick<TrainingOptions, 'shard' | 'gradientCheckpointing'>,
  isOwn: boolean,
): void {
  if (shard === 'none') return;
  if (isOwn) {
    throw new Error(
      `--shard ${shard} is not possible with this method, whose parameters have two learning rates. Pass --shard none`,
    );
  }
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

/** @param ofKind the kind of training's own, if it has one (default: AdamW) */
export function optimiserOf<P extends Policy, Options extends TrainingOptions>(
  policy: P,
  options: Options,
  ofKind?: (policy: P, options: Options) => Optimiser,
): Optimiser {
  const { weightDecay, shard } = options;
  if (shard !== 'none') return workers()!.shardedAdamW(policy.parameters, { weightDecay });
  return ofKind?.(policy, options) ?? new AdamW(policy.parameters, { weightDecay });
}
