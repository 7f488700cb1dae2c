// Divides the sampled answers of an optimizer step into passes.
import type { Role } from '@keel/model';
import type { Tensor } from '@keel/torch';
import { phase } from '@keel/torch';
import { type PackedRollouts, packRollouts, rolloutPasses } from '../../batching/pack-rollouts.ts';
import { constantLike, type RolloutLayout } from '../../objectives/online/rollout.ts';
import type { OnlineParts } from '../../rollouts/rollout-worker.ts';
import type { Rollouts } from '../../rollouts/rollouts.ts';
import { Pass, type Placed } from '../../training/passes.ts';

/** A part of the answers, packed. */
export interface RolloutPass extends PackedRollouts {
  /** Indices of its answers in the batch, in packed order. */
  members: readonly number[];
  layout: RolloutLayout;
  /**
   * The pass's part of the batch's numbers, with another tensor's dtype: [N of the batch] -> [N].
   */
  part(values: Float64Array, like: Tensor): Tensor;
  /** One forward and backward in a role; counts it. */
  in(role: Role): Pass<Placed, PackedRollouts>;
}

/**
 * Divides answers into passes and packs them.
 * @param divisor of the sum of a pass's losses
 * @param wholeGroups whether answers to one prompt must share a pass
 */
export function packedPasses(
  { model, limit, recomputes, countTraining }: OnlineParts,
  rollouts: Rollouts,
  sequences: readonly number[],
  { divisor, wholeGroups = false }: { divisor: number; wholeGroups?: boolean },
): RolloutPass[] {
  const divided = rolloutPasses(rollouts, sequences, limit, { wholeGroups });
  return divided.map((members, index) => {
    const batch = phase('data', () => packRollouts(rollouts, members));
    const { layout, tokens } = rollouts.layout.select(members);
    const placed = rollouts.rowsOf(members).map((row) => ({ row }));
    return {
      ...{ ...batch, members, layout },
      part: (values, like) =>
        constantLike(
          Float64Array.from(tokens, (token) => values[token]!),
          like,
        ),
      in(role) {
        countTraining?.(batch);
        const parts = { model, role, limit, ...(recomputes && { recomputes }) };
        return new Pass(parts, { divisor }, { index, passes: divided.length, placed, batch });
      },
    };
  });
}
