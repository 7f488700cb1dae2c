// Divides the sampled answers of an optimizer step into passes.
import type { Role } from '@keel/model';
import type { Tensor } from '@keel/torch';
import { phase } from '@keel/torch';
import { type PackedRollouts, packRollouts, rolloutPasses } from '../../batching/pack-rollouts.ts';
import { constantLike, type RolloutLayout } from '../../objectives/online/rollout.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import type { Rollouts } from '../../rollouts/rollouts.ts';
import { inShares, shareCount } from '../../sharing/in-shares.ts';
import { Pass, PassDraws, type Placed } from '../../training/passes.ts';

/** A part of the answers, packed. */
export interface RolloutPass extends PackedRollouts {
  /** Indices of its answers in the batch, in packed order. */
  members: readonly number[];
  layout: RolloutLayout;
  /**
   * The pass's part of the batch's numbers, with another tensor's dtype: [N of the batch] -> [N].
   */
  part(values: Float64Array, like: Tensor): Tensor;
  /** The same as numbers. */
  numbers(values: Float64Array): Float64Array;
  /** One forward and backward in a role; counts it. */
  in(role: Role): Pass<Placed, PackedRollouts>;
}

export interface RolloutStep {
  rollouts: Rollouts;
  /** Indices of the answers of the step. */
  sequences: readonly number[];
  /** What the sum of a pass's losses is divided by. */
  divisor: number;
  /** Whether answers to one prompt must share a pass. */
  wholeGroups?: boolean;
}

/**
 * Divides the answers of a step into passes, packs them and runs `work` on each: in one of the
 * processes that train together, and all of them get what it found.
 * @param work takes the gradient; gets the layouts of all passes of the step, in their order
 * @returns what was found in each pass
 */
export async function runPasses<Found>(
  { model, limit, recomputes, countTraining, endsStep }: OnlineParts,
  { rollouts, sequences, divisor, wholeGroups = false }: RolloutStep,
  work: (pass: RolloutPass, layouts: readonly RolloutLayout[]) => Promise<Found>,
): Promise<Found[]> {
  const how = { wholeGroups, shares: shareCount() };
  const shares = rolloutPasses(rollouts, sequences, limit, how);
  const count = shares.flat().length;
  let index = 0;
  const numbered = shares.map((share) => share.map((members) => ({ index: index++, members })));
  const selected = shares.flat().map((members) => rollouts.layout.select(members));
  const layouts = selected.map(({ layout }) => layout);
  using drawn = new PassDraws(model.device);
  const run = ({ index, members }: (typeof numbered)[number][number]): Promise<Found> => {
    const batch = phase('data', () => packRollouts(rollouts, members));
    const { layout, tokens } = selected[index]!;
    const placed = rollouts.rowsOf(members).map((row) => ({ row }));
    const numbers = (values: Float64Array): Float64Array =>
      Float64Array.from(tokens, (token) => values[token]!);
    const pass: RolloutPass = {
      ...{ ...batch, members, layout, numbers },
      part: (values, like) => constantLike(numbers(values), like),
      in(role) {
        countTraining?.(batch);
        const parts = { model, role, limit, ...(recomputes && { recomputes }) };
        return new Pass(parts, { divisor }, { index, passes: count, placed, batch });
      },
    };
    drawn.begin(members);
    return work(pass, layouts);
  };
  return await inShares(numbered, run, { endsStep: endsStep?.() ?? true });
}
