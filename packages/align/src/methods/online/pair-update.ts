// Online DPO (Guo et al. 2024, arXiv:2402.04792, algorithm 1): a paired objective on the best and
// the worst answer to each prompt.
import { phase, type Recomputation, type Steps, type Tensor } from '@keel/torch';
import { packRollouts, rolloutPasses } from '../../batching/pack-rollouts.ts';
import {
  bestAndWorst,
  type PreferencePair,
  wideEnough,
} from '../../objectives/online/preference-pairs.ts';
import { constantLike, type Numbers, type RolloutLayout } from '../../objectives/online/rollout.ts';
import type { ExtraScores, PairedScores } from '../../objectives/paired.ts';
import type { RolloutBatch, Unit } from '../../rollouts/rollout-batch.ts';
import { runPass } from '../../training/run-pass.ts';
import { NonFiniteLossError } from '../../training/training-task.ts';
import type { PairSettings } from './online-settings.ts';
import type { PolicyUpdateParts } from './policy-update.ts';
import { UpdateTotals } from './update-totals.ts';

export interface PairUpdateParts extends PolicyUpdateParts {
  pairs: PairSettings;
}

/**
 * Which answers make a pair of each prompt: the better one has the gap of their rewards, the worse
 * one the same below 0, the others 0. Prompts whose answers all have one reward have none, nor have
 * those whose best and worst are less than `minGap` apart.
 * @param rewards [S]
 * @returns marks [S], the pairs, the share of prompts whose answers all have one reward, and how
 *   many pairs were too narrow
 */
export function markPairs(
  layout: RolloutLayout,
  rewards: Numbers,
  minGap = 0,
): { marks: Float64Array; pairs: PreferencePair[]; ties: number; narrow: number } {
  const { pairs, ties } = bestAndWorst(layout, rewards);
  const wide = wideEnough(pairs, minGap);
  const marks = new Float64Array(layout.sequences);
  for (const { chosen, rejected, margin } of wide.pairs) {
    marks[chosen] = margin;
    marks[rejected] = -margin;
  }
  return { marks, pairs: wide.pairs, ties: ties / layout.members().size, narrow: wide.narrow };
}

/** [S] marks of pairs whose labels say no gap: 1 and -1. */
export function marksOf(sequences: number, pairs: readonly PreferencePair[]): Float64Array {
  const marks = new Float64Array(sequences);
  for (const { chosen, rejected } of pairs) {
    marks[chosen] = 1;
    marks[rejected] = -1;
  }
  return marks;
}

/** Pairs as the units of a rollout batch. */
export const unitsOf = (pairs: readonly PreferencePair[]): Unit[] =>
  pairs.map(({ chosen, rejected }) => [chosen, rejected]);

/** Pairs of a pass, by the places of their answers in it. */
interface Places {
  chosen: number[];
  rejected: number[];
}

/**
 * Adds the gradient of the mean loss over these pairs.
 * @param units the better and the worse answer of each pair, whose gap the batch's `advantages`
 *   mark; one at least
 * @throws NonFiniteLossError naming the prompts' rows
 */
export async function updateOnPairs(
  parts: PairUpdateParts,
  batch: RolloutBatch,
  units: readonly Unit[],
): Promise<UpdateTotals> {
  const { limit, recomputes, count } = parts;
  const found = new UpdateTotals();
  for (const members of rolloutPasses(batch, units.flat(), limit, { wholeGroups: true })) {
    const packed = phase('data', () => packRollouts(batch, members));
    count?.(packed);
    const at = new Map(members.map((member, place) => [member, place]));
    const own = units.filter(([chosen]) => at.has(chosen!));
    const [chosen, rejected] = [0, 1].map((side) => own.map((unit) => at.get(unit[side]!)!));
    const places: Places = { chosen: chosen!, rejected: rejected! };
    await runPass(
      (recomputation) => forward(parts, batch, { members, packed, places }, found, recomputation),
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
  { model, role, settings, pairs }: PairUpdateParts,
  batch: RolloutBatch,
  pass: { members: readonly number[]; packed: ReturnType<typeof packRollouts>; places: Places },
  found: UpdateTotals,
  recomputation: Recomputation | null,
): Steps<Tensor> {
  const { packed, scored } = pass.packed;
  const { trainingTemperature: temperature } = settings;
  const scoring = model.scoreTokensSteps(packed, scored, {
    training: true,
    recomputation,
    temperature,
  });
  const { logprobs: policy, entropy } = yield* model.asSteps(role, scoring); // [N]
  const { layout, tokens } = batch.layout.select(pass.members);
  const part = (values: Float64Array): Tensor =>
    constantLike(
      Float64Array.from(tokens, (token) => values[token]!),
      policy,
    );
  const { old, reference } = batch.numbers;
  const sums = layout.sumOver(policy); // [S]
  const references = layout.sumOver(part(reference!)); // [S]
  const lengths = constantLike(layout.lengths, policy); // [S]
  const { chosen, rejected } = pass.places;
  const of = (values: Tensor, places: readonly number[]): Tensor =>
    values.indexSelect(0, constantLike(places, policy).to({ dtype: 'int64' }));
  const gaps = chosen.map((at) => batch.mark(pass.members[at]!));
  const scores: PairedScores & Pick<ExtraScores, 'scoreGap'> = {
    policyChosen: of(sums, chosen),
    policyRejected: of(sums, rejected),
    referenceChosen: of(references, chosen),
    referenceRejected: of(references, rejected),
    tokensChosen: of(lengths, chosen),
    tokensRejected: of(lengths, rejected),
    scoreGap: constantLike(gaps, policy), // [P]
  };
  const { objective, options } = pairs;
  const total = objective.loss(scores, options).sum();
  const value = total.item();
  if (!Number.isFinite(value)) {
    const rows = [...new Set(pass.members.map((one) => batch.rows[batch.groups[one]!]!))];
    throw new NonFiniteLossError(`the loss is ${value}`, rows);
  }
  found.addPairs(scores, options.beta, { policy, old: part(old!), entropy }, value);
  return total;
}
