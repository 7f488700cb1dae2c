// The gradient of a paired objective on pairs of sampled answers.
import { phase, type Recomputation, type Steps, type Tensor } from '@keel/torch';
import { packRollouts, rolloutPasses } from '../../batching/pack-rollouts.ts';
import { constantLike } from '../../objectives/online/rollout.ts';
import type {
  ExtraScores,
  PairedObjective,
  PairedOptions,
  PairedScores,
} from '../../objectives/paired.ts';
import type { RolloutBatch } from '../../rollouts/rollout-batch.ts';
import type { OnlineParts } from '../../rollouts/rollout-worker.ts';
import type { PairTraining, Unit } from '../../rollouts/training.ts';
import { runPass } from '../../training/run-pass.ts';
import { NonFiniteLossError } from '../../training/training-task.ts';
import { UpdateTotals } from '../online/update-totals.ts';

export interface PairTerm {
  objective: PairedObjective;
  options: PairedOptions;
  /** Of the log-probabilities. */
  temperature: number;
}

/** Pairs of a pass, by the places of their answers in it. */
interface Places {
  chosen: number[];
  rejected: number[];
}

interface Pass {
  members: readonly number[];
  packed: ReturnType<typeof packRollouts>;
  places: Places;
}

/**
 * Adds the gradient of the mean loss over these pairs.
 * @param units the chosen and the rejected answer of each pair; at least one
 * @throws NonFiniteLossError naming the prompts' rows
 */
export async function updateOnPairs(
  parts: OnlineParts,
  batch: RolloutBatch<PairTraining>,
  units: readonly Unit[],
  term: PairTerm,
): Promise<UpdateTotals> {
  const { limit, recomputes, countTraining: count } = parts;
  const { rollouts } = batch;
  const found = new UpdateTotals();
  for (const members of rolloutPasses(rollouts, units.flat(), limit, { wholeGroups: true })) {
    const packed = phase('data', () => packRollouts(rollouts, members));
    count?.(packed);
    const at = new Map(members.map((member, place) => [member, place]));
    const own = units.filter(([chosen]) => at.has(chosen!));
    const [chosen, rejected] = [0, 1].map((side) => own.map((unit) => at.get(unit[side]!)!));
    const places: Places = { chosen: chosen!, rejected: rejected! };
    await runPass(
      (recomputation) =>
        forward(parts, term, batch, { members, packed, places }, found, recomputation),
      {
        divisor: units.length,
        recomputes: recomputes?.(packed.packed.tokens.length) ?? false,
      },
    );
  }
  found.endPairs(units.length);
  return found;
}

/** @returns the sum of the pass's losses */
function* forward(
  { model, role }: OnlineParts,
  { objective, options, temperature }: PairTerm,
  { rollouts, training }: RolloutBatch<PairTraining>,
  pass: Pass,
  found: UpdateTotals,
  recomputation: Recomputation | null,
): Steps<Tensor> {
  const { packed, scored } = pass.packed;
  const scoring = model.scoreTokensSteps(packed, scored, {
    training: true,
    recomputation,
    temperature,
  });
  const { logprobs: policy, entropy } = yield* model.asSteps(role, scoring); // [N]
  const { layout, tokens } = rollouts.layout.select(pass.members);
  const part = (values: Float64Array): Tensor =>
    constantLike(
      Float64Array.from(tokens, (token) => values[token]!),
      policy,
    );
  const { old, reference } = rollouts.logprobs;
  const sums = layout.sumOver(policy); // [S]
  const references = layout.sumOver(part(reference!)); // [S]
  const lengths = constantLike(layout.lengths, policy); // [S]
  const { chosen, rejected } = pass.places;
  const of = (values: Tensor, places: readonly number[]): Tensor =>
    values.indexSelect(0, constantLike(places, policy).to({ dtype: 'int64' })); // [P]
  const margins = new Map(training.pairs.map((pair) => [pair.chosen, pair.margin]));
  const gaps = chosen.map((at) => margins.get(pass.members[at]!)!);
  const scores: PairedScores & Pick<ExtraScores, 'scoreGap'> = {
    policyChosen: of(sums, chosen),
    policyRejected: of(sums, rejected),
    referenceChosen: of(references, chosen),
    referenceRejected: of(references, rejected),
    tokensChosen: of(lengths, chosen),
    tokensRejected: of(lengths, rejected),
    scoreGap: constantLike(gaps, policy), // [P]
  };
  const total = objective.loss(scores, options).sum();
  const value = total.item();
  if (!Number.isFinite(value)) {
    throw new NonFiniteLossError(`the loss is ${value}`, rollouts.rowsOf(pass.members));
  }
  found.addPairs(scores, options.beta, { policy, old: part(old!), entropy }, value);
  return total;
}
