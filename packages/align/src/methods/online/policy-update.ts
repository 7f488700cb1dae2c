// The gradient of one optimizer step on sampled answers, pass by pass.
import type { Role } from '@keel/model';
import type { Steps, Tensor } from '@keel/torch';
import { stepTotals } from '../../objectives/online/loss-reductions.ts';
import type { OnlineParts } from '../../rollouts/rollout-worker.ts';
import type { Rollouts } from '../../rollouts/rollouts.ts';
import type { ForwardOptions, PassLosses } from '../../training/passes.ts';
import type { PolicyTerm, PolicyTokens } from './policy-loss.ts';
import { packedPasses, type RolloutPass } from './rollout-passes.ts';
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
  const found = new UpdateTotals();
  // Losses are already shares of the step's loss.
  const passes = packedPasses(parts, rollouts, sequences, { divisor: 1 });
  const totals = stepTotals(passes.map(({ layout }) => layout));

  /** @param values [N] */
  const criticLoss = (term: CriticTerm, values: Tensor, { layout, part }: RolloutPass): Tensor => {
    const own = (numbers: Float64Array): Tensor => part(numbers, values);
    const total = term.loss(values, { layout, totals, part: own });
    found.addValue(total, term.coefficient);
    return total.mul(term.coefficient);
  };

  function* policyLosses(
    term: PolicyTerm,
    shared: CriticTerm | null,
    pass: RolloutPass,
    { training, recomputation }: ForwardOptions,
  ): Steps<PassLosses> {
    const { temperature, entropyGradient = false } = term;
    const { packed, scored, layout } = pass;
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
      reference: logprobs.reference && part(logprobs.reference),
    };
    const result = term.loss(tokens);
    found.addPolicy(tokens, result);
    if (logprobs.old === null && term.comparesSampler) {
      found.addMismatch(part(logprobs.sampler).toArray(), own.detach().toArray());
    }
    if (read === null) return { sum: result.total };
    return { sum: result.total.add(criticLoss(shared!, read.scores.select(1, 0), pass)) };
  }

  function* criticLosses(
    term: CriticTerm,
    pass: RolloutPass,
    options: ForwardOptions,
  ): Steps<PassLosses> {
    const { scores } = yield* model.readHeadSteps(pass.packed, pass.scored.rows, options); // [N, 1]
    return { sum: criticLoss(term, scores.select(1, 0), pass) };
  }

  const shared = critic?.shared ? critic : null;
  for (const pass of passes) {
    if (policy !== null) {
      await pass.in(role).run((options) => policyLosses(policy, shared, pass, options));
    }
    if (critic !== null && shared === null) {
      await pass.in(critic.role).run((options) => criticLosses(critic, pass, options));
    }
  }
  return found;
}
