// The gradient of a paired objective on pairs of sampled answers.
import type { Steps, Tensor } from '@keel/torch';
import { constantLike } from '../../objectives/online/rollout.ts';
import type {
  ExtraScores,
  PairedObjective,
  PairedOptions,
  PairedScores,
} from '../../objectives/paired.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import type { RolloutBatch } from '../../rollouts/rollout-batch.ts';
import type { PairTraining, Unit } from '../../rollouts/training.ts';
import type { ForwardOptions, PassLosses } from '../../training/passes.ts';
import { type RolloutPass, runPasses } from '../online/rollout-passes.ts';
import { UpdateTotals } from '../online/update-totals.ts';

export interface PairTerm {
  objective: PairedObjective;
  options: PairedOptions;
  /** Of the log-probabilities. */
  temperature: number;
}

/**
 * Adds the gradient of the mean loss over these pairs.
 * @param units the chosen and the rejected answer of each pair; at least one
 * @throws NonFiniteLossError naming the prompts' rows
 */
export async function updateOnPairs(
  parts: OnlineParts,
  { rollouts, training: { pairs } }: RolloutBatch<PairTraining>,
  units: readonly Unit[],
  { objective, options, temperature }: PairTerm,
): Promise<UpdateTotals> {
  const { model, role } = parts;
  const { old, reference } = rollouts.logprobs;
  const margins = new Map(pairs.map((pair) => [pair.chosen, pair.margin]));

  function* losses(
    { packed, scored, layout, members, part }: RolloutPass,
    found: UpdateTotals,
    { training, recomputation }: ForwardOptions,
  ): Steps<PassLosses> {
    const scoring = { training, recomputation, temperature };
    // [N] each
    const { logprobs: policy, entropy } = yield* model.scoreTokensSteps(packed, scored, scoring);
    const sums = layout.sumOver(policy); // [S]
    const references = layout.sumOver(part(reference!, policy)); // [S]
    const lengths = constantLike(layout.lengths, policy); // [S]
    // The pass's pairs, as indices of their answers in the pass.
    const at = new Map(members.map((member, place) => [member, place]));
    const own = units.filter(([chosen]) => at.has(chosen!));
    const [chosen, rejected] = [0, 1].map((side) => {
      const places = own.map((unit) => at.get(unit[side]!)!);
      return constantLike(places, policy).to({ dtype: 'int64' }); // [P]
    }) as [Tensor, Tensor];
    const scores: PairedScores & Pick<ExtraScores, 'scoreGap'> = {
      policyChosen: sums.indexSelect(0, chosen),
      policyRejected: sums.indexSelect(0, rejected),
      referenceChosen: references.indexSelect(0, chosen),
      referenceRejected: references.indexSelect(0, rejected),
      tokensChosen: lengths.indexSelect(0, chosen),
      tokensRejected: lengths.indexSelect(0, rejected),
      scoreGap: constantLike(
        own.map(([better]) => margins.get(better!)!),
        policy,
      ),
    };
    const sum = objective.loss(scores, options).sum();
    const tokens = { policy, old: part(old!, policy), entropy };
    return { sum, loss: found.addPairs(scores, options.beta, tokens, sum) };
  }

  const step = { rollouts, sequences: units.flat(), divisor: units.length, wholeGroups: true };
  const sums = await runPasses(parts, step, async (pass) => {
    const found = new UpdateTotals();
    await pass.in(role).run((forward) => losses(pass, found, forward));
    return found.sums;
  });
  const found = UpdateTotals.of(sums);
  found.endPairs(units.length);
  return found;
}
