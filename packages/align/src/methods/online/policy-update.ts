// The gradient of one optimizer step on sampled answers, pass by pass.
import type { Role } from '@keel/model';
import { readTogether, type Steps, type Tensor } from '@keel/torch';
import { type StepTotals, stepTotals } from '../../objectives/online/loss-reductions.ts';
import type { OnlineParts } from '../../rollouts/online-parts.ts';
import type { Rollouts } from '../../rollouts/rollouts.ts';
import type { ForwardOptions, PassLosses } from '../../training/passes.ts';
import type { PolicyTerm, PolicyTokens } from './policy-loss.ts';
import { type RolloutPass, runPasses } from './rollout-passes.ts';
import { UpdateTotals } from './update-totals.ts';

export interface CriticTerm {
  role: Role;
  /** The head reads the policy's hidden states, so both share each pass. */
  shared: boolean;
  coefficient: number;
  /** @param values [N]. @returns the pass's share of the step's loss */
  loss(values: Tensor, tokens: Pick<PolicyTokens, 'layout' | 'totals' | 'part'>): Tensor;
}

/**
 * Adds the gradient of a step on these sequences.
 * @param terms policy, critic, or both; a separate critic has its own passes, after the policy's
 * @throws NonFiniteLossError naming the prompts' rows
 */
export async function updatePolicy(
  parts: OnlineParts,
  rollouts: Rollouts,
  sequences: readonly number[],
  { policy = null, critic = null }: { policy?: PolicyTerm | null; critic?: CriticTerm | null },
): Promise<UpdateTotals> {
  const { model, role } = parts;
  const { logprobs } = rollouts;

  /**
   * @param values [N]
   * @param policyLoss the policy's share in the same pass
   */
  const criticLoss = (
    term: CriticTerm,
    values: Tensor,
    { layout, part, totals, found }: UpdatePass,
    policyLoss: Tensor | null = null,
  ): PassLosses => {
    const own = (numbers: Float64Array): Tensor => part(numbers, values);
    const total = term.loss(values, { layout, totals, part: own });
    const weighted = total.mul(term.coefficient);
    const sum = policyLoss === null ? weighted : policyLoss.add(weighted);
    const read = readTogether({ total, sum });
    found.addValue(read.total[0]!, term.coefficient);
    return { sum, loss: read.sum[0]! };
  };

  function* policyLosses(
    term: PolicyTerm,
    shared: CriticTerm | null,
    pass: UpdatePass,
    { training, recomputation }: ForwardOptions,
  ): Steps<PassLosses> {
    const { temperature, entropyGradient = false } = term;
    const { packed, scored, layout, totals, found } = pass;
    const options = { training, recomputation, temperature, entropyGradient };
    const read = shared
      ? yield* model.readHeadSteps(packed, scored.rows, { ...options, scored })
      : null;
    // [N] each
    const { logprobs: own, entropy } =
      read?.tokens ?? (yield* model.scoreTokensSteps(packed, scored, options));
    const part = (values: Float64Array): Tensor => pass.part(values, own);
    const tokens: PolicyTokens = {
      ...{ layout, totals, policy: own, entropy, part },
      old: logprobs.old === null ? own.detach() : part(logprobs.old),
      sampler: pass.numbers(logprobs.sampler),
      reference: logprobs.reference && part(logprobs.reference),
    };
    const result = term.loss(tokens);
    const loss = found.addPolicy(tokens, result);
    if (logprobs.old === null && term.comparesSampler) {
      found.addMismatch(tokens.sampler, own.detach().toArray());
    }
    if (read === null) return { sum: result.total, loss };
    return criticLoss(shared!, read.scores.select(1, 0), pass, result.total);
  }

  function* criticLosses(
    term: CriticTerm,
    pass: UpdatePass,
    options: ForwardOptions,
  ): Steps<PassLosses> {
    const { scores } = yield* model.readHeadSteps(pass.packed, pass.scored.rows, options); // [N, 1]
    return criticLoss(term, scores.select(1, 0), pass);
  }

  const shared = critic?.shared ? critic : null;
  // Losses are already shares of the step's loss.
  const step = { rollouts, sequences, divisor: 1 };
  const found = await runPasses(parts, step, async (pass, layouts) => {
    const own = { ...pass, totals: stepTotals(layouts), found: new UpdateTotals() };
    if (policy !== null) {
      await pass.in(role).run((options) => policyLosses(policy, shared, own, options));
    }
    if (critic !== null && shared === null) {
      await pass.in(critic.role).run((options) => criticLosses(critic, own, options));
    }
    return own.found.sums;
  });
  return UpdateTotals.of(found);
}

/** A pass, and what is found in it. */
interface UpdatePass extends RolloutPass {
  /** Of the whole step. */
  totals: StepTotals;
  found: UpdateTotals;
}
