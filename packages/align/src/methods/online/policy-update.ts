// The gradient of one optimiser step on a part of a rollout batch, pass by pass.
import type { LanguageModel, Role } from '@keel/model';
import { phase, type Recomputation, type Steps, type Tensor } from '@keel/torch';
import type { MicroBatchLimit } from '../../batching/micro-batches.ts';
import { type PackedRollouts, packRollouts, rolloutPasses } from '../../batching/pack-rollouts.ts';
import {
  reduceLoss,
  reductionWeights,
  type StepTotals,
  stepTotals,
} from '../../objectives/online/loss-reductions.ts';
import { constantLike, type RolloutLayout } from '../../objectives/online/rollout.ts';
import { valueLoss } from '../../objectives/online/value-loss.ts';
import type { RolloutBatch } from '../../rollouts/rollout-batch.ts';
import { runPass } from '../../training/run-pass.ts';
import { NonFiniteLossError } from '../../training/training-task.ts';
import type { OnlineSettings } from './online-settings.ts';
import { policyLoss } from './policy-loss.ts';
import { UpdateTotals } from './update-totals.ts';

export interface PolicyUpdateParts {
  model: LanguageModel;
  role: Role;
  /** null: no critic. */
  valueRole: Role | null;
  settings: Pick<OnlineSettings, 'sampling' | 'trainingTemperature' | 'kl' | 'loss' | 'critic'>;
  limit: MicroBatchLimit;
  recomputes?(tokens: number): boolean;
  /** Told of every pass, forward and backward. */
  count?(pass: PackedRollouts): void;
}

interface Pass extends PackedRollouts {
  batch: RolloutBatch;
  layout: RolloutLayout;
  /** [N]: its tokens in the batch. */
  tokens: Int32Array;
  /** Of the whole step. */
  totals: StepTotals;
  rows: number[];
}

/**
 * Adds the gradient of a step on these sequences.
 * @param klCoefficient of the KL where it is a term of the loss
 * @throws NonFiniteLossError naming the prompts' rows
 */
export async function updatePolicy(
  parts: PolicyUpdateParts,
  batch: RolloutBatch,
  sequences: readonly number[],
  klCoefficient: number,
): Promise<UpdateTotals> {
  const { limit, recomputes, settings, valueRole, count } = parts;
  const found = new UpdateTotals();
  const passes = rolloutPasses(batch, sequences, limit);
  const layouts = passes.map((pass) => batch.layout.select(pass));
  const totals = stepTotals(layouts.map(({ layout }) => layout));
  const { critic } = settings;
  const ownCritic = critic !== null && !critic.shared;
  const warmingUp = critic !== null && batch.number < critic.warmup;
  for (const [index, members] of passes.entries()) {
    const packed = phase('data', () => packRollouts(batch, members));
    const rows = [...new Set(members.map((member) => batch.rows[batch.groups[member]!]!))];
    const pass: Pass = { ...packed, ...layouts[index]!, batch, totals, rows };
    const kind = { divisor: 1, recomputes: recomputes?.(packed.packed.tokens.length) ?? false };
    if (!warmingUp) {
      count?.(packed);
      await runPass(
        (recomputation) => policyForward(parts, pass, klCoefficient, found, recomputation),
        kind,
      );
    }
    if (ownCritic) {
      count?.(packed);
      await runPass(
        (recomputation) => criticForward(parts, valueRole!, pass, found, recomputation),
        kind,
      );
    }
  }
  return found;
}

function* policyForward(
  { model, role, settings }: PolicyUpdateParts,
  pass: Pass,
  klCoefficient: number,
  found: UpdateTotals,
  recomputation: Recomputation | null,
): Steps<Tensor> {
  const { sampling, trainingTemperature: temperature, kl, loss, critic } = settings;
  const { packed, scored, layout, totals, batch } = pass;
  const options = {
    ...{ training: true, recomputation, temperature },
    entropyGradient: loss.entropy > 0,
  };
  const shared = critic?.shared === true;
  const read = shared
    ? yield* model.asSteps(role, model.readHeadSteps(packed, scored.rows, { ...options, scored }))
    : null;
  const { logprobs: policy, entropy } =
    read?.tokens ?? (yield* model.asSteps(role, model.scoreTokensSteps(packed, scored, options))); // [N] each
  const part = (values: Float64Array): Tensor => partOf(values, pass, policy);
  const { old, reference, advantages, sampler } = batch.numbers;
  const tokens = {
    policy,
    entropy,
    old: old === null ? policy.detach() : part(old),
    reference: reference && part(reference),
    advantages: part(advantages),
  };
  const lossKl = kl?.place === 'loss' ? { ...kl, coefficient: klCoefficient } : null;
  const result = policyLoss(layout, tokens, { ...loss, kl: lossKl }, totals);
  refuseNonFinite(result.total, pass);
  found.addPolicy(tokens, result, loss.ratio?.clip ?? null);
  if (old === null && sampling.temperature === temperature) {
    const own = pass.tokens;
    found.addMismatch(
      Float64Array.from(own, (token) => sampler[token]!),
      policy.detach().toArray(),
    );
  }
  if (read === null) return result.total;
  return result.total.add(criticLoss(settings, read.scores.select(1, 0), pass, found));
}

function* criticForward(
  { model, settings }: PolicyUpdateParts,
  role: Role,
  pass: Pass,
  found: UpdateTotals,
  recomputation: Recomputation | null,
): Steps<Tensor> {
  const options = { training: true, recomputation };
  const reading = model.readHeadSteps(pass.packed, pass.scored.rows, options);
  const { scores } = yield* model.asSteps(role, reading); // [N, 1]
  return criticLoss(settings, scores.select(1, 0), pass, found);
}

/** @param values [N]. @returns the pass's share of the step's weighted loss */
function criticLoss(
  { critic }: PolicyUpdateParts['settings'],
  values: Tensor,
  pass: Pass,
  found: UpdateTotals,
): Tensor {
  const { values: old, returns } = pass.batch.numbers;
  const known = { old: partOf(old!, pass, values), returns: partOf(returns!, pass, values) };
  const losses = valueLoss({ values, ...known }, critic!.clip); // [N]
  const total = reduceLoss(losses, reductionWeights(pass.layout, 'dapo', { totals: pass.totals }));
  refuseNonFinite(total, pass);
  found.valueLoss = (found.valueLoss ?? 0) + total.item();
  return total.mul(critic!.coefficient);
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
