// The gradient of one optimizer step on sampled answers, pass by pass.
import type { Role } from '@keel/model';
import { phase, type Recomputation, type Steps, type Tensor } from '@keel/torch';
import { type PackedRollouts, packRollouts, rolloutPasses } from '../../batching/pack-rollouts.ts';
import { type StepTotals, stepTotals } from '../../objectives/online/loss-reductions.ts';
import { constantLike, type RolloutLayout } from '../../objectives/online/rollout.ts';
import type { OnlineParts } from '../../rollouts/rollout-worker.ts';
import type { Rollouts } from '../../rollouts/rollouts.ts';
import { runPass } from '../../training/run-pass.ts';
import { NonFiniteLossError } from '../../training/training-task.ts';
import type { PolicyTerm, PolicyTokens } from './policy-loss.ts';
import { UpdateTotals } from './update-totals.ts';

export interface CriticTerm {
  role: Role;
  /** The head reads the policy's hidden states: both have one pass. */
  shared: boolean;
  coefficient: number;
  /** @param values [N]. @returns the pass's share of the step's loss */
  loss(values: Tensor, tokens: Pick<PolicyTokens, 'layout' | 'totals' | 'part'>): Tensor;
}

interface Pass extends PackedRollouts {
  rollouts: Rollouts;
  layout: RolloutLayout;
  /** [N]: its tokens in the batch. */
  tokens: Int32Array;
  /** Of the whole step. */
  totals: StepTotals;
  rows: number[];
}

/**
 * Adds the gradient of a step on these sequences.
 * @param terms policy, critic, or both; with a critic of its own each has its passes, one after the
 *   other
 * @throws NonFiniteLossError naming the prompts' rows
 */
export async function updatePolicy(
  parts: OnlineParts,
  rollouts: Rollouts,
  sequences: readonly number[],
  { policy = null, critic = null }: { policy?: PolicyTerm | null; critic?: CriticTerm | null },
): Promise<UpdateTotals> {
  const { limit, recomputes, countTraining: count } = parts;
  const found = new UpdateTotals();
  const passes = rolloutPasses(rollouts, sequences, limit);
  const layouts = passes.map((pass) => rollouts.layout.select(pass));
  const totals = stepTotals(layouts.map(({ layout }) => layout));
  const shared = critic?.shared ? critic : null;
  for (const [index, members] of passes.entries()) {
    const packed = phase('data', () => packRollouts(rollouts, members));
    const rows = rollouts.rowsOf(members);
    const pass: Pass = { ...packed, ...layouts[index]!, rollouts, totals, rows };
    const kind = { divisor: 1, recomputes: recomputes?.(packed.packed.tokens.length) ?? false };
    if (policy !== null) {
      count?.(packed);
      await runPass(
        (recomputation) => policyForward(parts, policy, shared, pass, found, recomputation),
        kind,
      );
    }
    if (critic !== null && shared === null) {
      count?.(packed);
      await runPass(
        (recomputation) => criticForward(parts, critic, pass, found, recomputation),
        kind,
      );
    }
  }
  return found;
}

function* policyForward(
  { model, role }: OnlineParts,
  term: PolicyTerm,
  critic: CriticTerm | null,
  pass: Pass,
  found: UpdateTotals,
  recomputation: Recomputation | null,
): Steps<Tensor> {
  const { temperature, entropyGradient = false, comparesSampler } = term;
  const { packed, scored, layout, totals } = pass;
  const options = { training: true, recomputation, temperature, entropyGradient };
  const read = critic
    ? yield* model.asSteps(role, model.readHeadSteps(packed, scored.rows, { ...options, scored }))
    : null;
  // [N] each
  const { logprobs: policy, entropy } =
    read?.tokens ?? (yield* model.asSteps(role, model.scoreTokensSteps(packed, scored, options)));
  const part = (values: Float64Array): Tensor => partOf(values, pass, policy);
  const { old, reference, sampler } = pass.rollouts.logprobs;
  const tokens: PolicyTokens = {
    ...{ layout, totals, policy, entropy, part },
    old: old === null ? policy.detach() : part(old),
    reference: reference && part(reference),
  };
  const result = term.loss(tokens);
  refuseNonFinite(result.total, pass);
  found.addPolicy(tokens, result);
  if (old === null && comparesSampler) {
    found.addMismatch(
      Float64Array.from(pass.tokens, (token) => sampler[token]!),
      policy.detach().toArray(),
    );
  }
  if (read === null) return result.total;
  return result.total.add(criticLoss(critic!, read.scores.select(1, 0), pass, found));
}

function* criticForward(
  { model }: OnlineParts,
  term: CriticTerm,
  pass: Pass,
  found: UpdateTotals,
  recomputation: Recomputation | null,
): Steps<Tensor> {
  const options = { training: true, recomputation };
  const reading = model.readHeadSteps(pass.packed, pass.scored.rows, options);
  const { scores } = yield* model.asSteps(term.role, reading); // [N, 1]
  return criticLoss(term, scores.select(1, 0), pass, found);
}

/** @param values [N]. @returns the pass's share of the step's weighted loss */
function criticLoss(term: CriticTerm, values: Tensor, pass: Pass, found: UpdateTotals): Tensor {
  const { layout, totals } = pass;
  const part = (numbers: Float64Array): Tensor => partOf(numbers, pass, values);
  const total = term.loss(values, { layout, totals, part });
  refuseNonFinite(total, pass);
  found.addValue(total, term.coefficient);
  return total.mul(term.coefficient);
}

const partOf = (values: Float64Array, { tokens }: Pass, like: Tensor): Tensor =>
  constantLike(
    Float64Array.from(tokens, (token) => values[token]!),
    like,
  );

function refuseNonFinite(total: Tensor, { rows }: Pass): void {
  const value = total.item();
  if (!Number.isFinite(value)) throw new NonFiniteLossError(`the loss is ${value}`, rows);
}
