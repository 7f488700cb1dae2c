// What updates the parameters of a run.
import { AdamW, type Optimiser } from '@keel/torch';
import type { TrainingOptions } from '../config/training-options.ts';
import { workers } from '../sharing/workers.ts';
import type { Policy } from './policy.ts';

/**
 * @param ofKind the kind of training's own, if it has one (default: AdamW)
 * @throws Error where `--shard` is not possible
 */
export function optimiserOf<P extends Policy, Options extends TrainingOptions>(
  policy: P,
  options: Options,
  ofKind?: (policy: P, options: Options) => Optimiser,
): Optimiser {
  const together = workers();
  const { weightDecay, shard } = options;
  if (shard === 'none') {
    return ofKind?.(policy, options) ?? new AdamW(policy.parameters, { weightDecay });
  }
  if (ofKind !== undefined) {
    throw new Error(
      `--shard ${shard} is not possible with this method, whose parameters have two learning rates. Pass --shard none`,
    );
  }
  if (together !== null) return together.shardedAdamW(policy.parameters, { weightDecay });
  throw new Error(
    `--shard ${shard} divides the optimizer's state among processes, and there is only one. Start several with torchrun, srun or keel launch`,
  );
}
