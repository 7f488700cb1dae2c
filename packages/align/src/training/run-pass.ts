import { setImmediate as letOthersIn } from 'node:timers/promises';
import {
  inTurns,
  noGradSteps,
  phase,
  Recomputation,
  Scope,
  type Steps,
  type Tensor,
  tidy,
  tidySteps,
  within,
} from '@keel/torch';

export interface PassKind {
  /**
   * What the sum of losses is divided by before its gradient is added; null: no gradient is wanted.
   */
  divisor: number | null;
  /** Whether activations are computed again in backward. */
  recomputes: boolean;
}

/**
 * One pass forward and, where a gradient is wanted, backward. The event loop turns in the pauses of
 * the forward and after each, so that signals and threads are heard.
 * @param forward gives the sum of the pass's losses; what it makes beside that is freed
 */
export async function runPass(
  forward: (recomputation: Recomputation | null) => Steps<Tensor>,
  { divisor, recomputes }: PassKind,
): Promise<void> {
  if (divisor !== null && recomputes) return runRecomputedPass(forward, divisor);
  const steps = tidySteps(forward(null));
  // Autograd keeps what backward needs of the forward pass.
  using total = await phase('forward', () =>
    inTurns(divisor !== null ? steps : noGradSteps(steps)),
  );
  await letOthersIn();
  if (divisor === null) return;
  phase('backward', () => tidy(() => total.div(divisor).backward()));
  await letOthersIn();
}

async function runRecomputedPass(
  forward: (recomputation: Recomputation) => Steps<Tensor>,
  divisor: number,
): Promise<void> {
  // Backward uses again what the blocks have in common, such as their rotations: one scope holds
  // both.
  using scope = new Scope();
  scope.leave();
  using recomputation = new Recomputation();
  const enter = (): (() => void) => scope.enter();
  const total = await phase('forward', () => inTurns(within(enter, forward(recomputation))));
  await letOthersIn();
  const backward = function* (): Steps<void> {
    yield* recomputation.backwardSteps(total.div(divisor));
  };
  await phase('backward', () => inTurns(within(enter, backward())));
  await letOthersIn();
}
